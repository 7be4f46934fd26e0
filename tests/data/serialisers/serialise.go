// Reads a list of JSON texts on stdin; prints what Go's encoding/json makes of each, in base64.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
)

func encoded(payload any, html bool) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(html)
	err := encoder.Encode(payload)
	return out.Bytes(), err
}

func parsed(text string) (payload any) {
	if json.Unmarshal([]byte(text), &payload) != nil {
		panic(text)
	}
	return payload
}

func numbered(text string) (payload any) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if decoder.Decode(&payload) != nil {
		panic(text)
	}
	return payload
}

func main() {
	var texts []string
	if err := json.NewDecoder(os.Stdin).Decode(&texts); err != nil {
		panic(err)
	}
	raw := func(text string) any { return json.RawMessage(text) }
	ways := map[string]func(string) ([]byte, error){
		"go-marshal":          func(t string) ([]byte, error) { return json.Marshal(parsed(t)) },
		"go-marshal-number":   func(t string) ([]byte, error) { return json.Marshal(numbered(t)) },
		"go-marshal-indent":   func(t string) ([]byte, error) { return json.MarshalIndent(parsed(t), "", "  ") },
		"go-encoder":          func(t string) ([]byte, error) { return encoded(parsed(t), true) },
		"go-encoder-plain":    func(t string) ([]byte, error) { return encoded(parsed(t), false) },
		"go-encoder-trimmed":  func(t string) ([]byte, error) { b, e := encoded(parsed(t), false); return bytes.TrimSpace(b), e },
		"go-raw-marshal":      func(t string) ([]byte, error) { return json.Marshal(raw(t)) },
		"go-raw-encoder":      func(t string) ([]byte, error) { return encoded(raw(t), true) },
		"go-raw-encoder-plain": func(t string) ([]byte, error) { return encoded(raw(t), false) },
		"go-sprint":           func(t string) ([]byte, error) { return []byte(fmt.Sprint(parsed(t))), nil },
	}
	rows := map[string][]*[]byte{}
	for name, way := range ways {
		for _, text := range texts {
			written, err := way(text)
			if err != nil {
				rows[name] = append(rows[name], nil)
			} else {
				rows[name] = append(rows[name], &written)
			}
		}
	}
	json.NewEncoder(os.Stdout).Encode(map[string]any{"version": "Go " + runtime.Version()[2:], "rows": rows})
}

// Receivers as people write them from the article, one for each path.
package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
)

var secret = os.Getenv("LEANBE_SECRET")

func signed(text []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(text)
	return hex.EncodeToString(mac.Sum(nil))
}

func computed(path string, raw []byte) string {
	var body struct {
		Payload   map[string]any `json:"payload"`
		Signature string         `json:"signature"`
	}
	json.Unmarshal(raw, &body)
	var held struct {
		Payload json.RawMessage `json:"payload"`
	}
	json.Unmarshal(raw, &held)
	switch path {
	case "/go-marshal":
		text, _ := json.Marshal(body.Payload)
		return signed(text)
	case "/go-encoder":
		var text bytes.Buffer
		json.NewEncoder(&text).Encode(body.Payload)
		return signed(text.Bytes())
	case "/go-raw-marshal":
		text, _ := json.Marshal(held.Payload)
		return signed(text)
	case "/newline-hashed":
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		encoder.Encode(held.Payload)
		return signed(text.Bytes())
	// MENDED
	}
	return ""
}

func main() {
	listener, _ := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		var body struct {
			Signature string `json:"signature"`
		}
		json.Unmarshal(raw, &body)
		if !hmac.Equal([]byte(computed(r.URL.Path, raw)), []byte(body.Signature)) {
			w.WriteHeader(401)
			return
		}
		w.WriteHeader(204)
	}))
}

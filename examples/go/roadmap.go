// The ideas that a team promoted, told by Leanbe's webhooks: a receiver without modules.
package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log"
	"net/http"
	"os"
	"sync"
)

const mostBytes = 2 << 20

// Roadmap keeps the titles of promoted ideas in a file, and answers Leanbe's webhooks.
type Roadmap struct {
	Secret string
	File   string
	mutex  sync.Mutex
}

// What has been seen is written with what it changes: both are in one file, which is replaced.
type state struct {
	Seen   map[string]bool
	Titles []string
}

type idea struct {
	ID    string `json:"_id"`
	Title string
}

var handlers = map[string]func(*state, idea){
	"idea.promoted": func(kept *state, promoted idea) { kept.Titles = append(kept.Titles, promoted.Title) },
}

type envelope struct {
	// As it came: json.Marshal would sort keys and escape "<", and Leanbe signs the text.
	Payload                       json.RawMessage
	Event, TriggeredAt, Signature string
}

func (r *Roadmap) ServeHTTP(answer http.ResponseWriter, request *http.Request) {
	switch request.Method + " " + request.URL.Path {
	case "POST /hooks/leanbe":
		r.hook(answer, request)
	case "GET /roadmap":
		kept, err := r.load()
		if err == nil {
			err = json.NewEncoder(answer).Encode(kept.Titles)
		}
		if err != nil {
			log.Print(err)
		}
	default:
		answer.WriteHeader(http.StatusNotFound)
	}
}

func (r *Roadmap) hook(answer http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(answer, request.Body, mostBytes))
	var sent envelope
	if err != nil || json.Unmarshal(body, &sent) != nil || sent.Payload == nil {
		http.Error(answer, "no envelope", http.StatusBadRequest)
		return
	}
	if !r.isSigned(sent.Payload, sent.Signature) {
		http.Error(answer, "bad signature", http.StatusUnauthorized)
		return
	}
	if err := r.receive(sent); err != nil {
		log.Print(err)
		answer.WriteHeader(http.StatusInternalServerError)
		return
	}
	answer.WriteHeader(http.StatusNoContent)
}

func (r *Roadmap) isSigned(payload []byte, signature string) bool {
	if r.Secret == "" {
		panic("The secret is empty: anybody could sign.")
	}
	var text bytes.Buffer // without the white space of an indented body
	if json.Compact(&text, payload) != nil {
		return false
	}
	mac := hmac.New(sha256.New, []byte(r.Secret))
	mac.Write(text.Bytes())
	return hmac.Equal([]byte(hex.EncodeToString(mac.Sum(nil))), []byte(signature))
}

func (r *Roadmap) receive(sent envelope) error {
	handle := handlers[sent.Event]
	if handle == nil { // all others are accepted, new ones too
		return nil
	}
	var document idea
	if err := json.Unmarshal(sent.Payload, &document); err != nil {
		return err
	}
	key := sent.Event + " " + document.ID + " " + sent.TriggeredAt
	r.mutex.Lock()
	defer r.mutex.Unlock()
	kept, err := r.load()
	if err != nil || kept.Seen[key] { // Leanbe may send an event again
		return err
	}
	handle(&kept, document)
	kept.Seen[key] = true
	return r.save(kept)
}

func (r *Roadmap) load() (state, error) {
	kept := state{Seen: map[string]bool{}, Titles: []string{}}
	content, err := os.ReadFile(r.File)
	if errors.Is(err, fs.ErrNotExist) {
		return kept, nil
	}
	if err != nil {
		return kept, err
	}
	return kept, json.Unmarshal(content, &kept)
}

func (r *Roadmap) save(kept state) error {
	content, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	if err := os.WriteFile(r.File+".new", content, 0o600); err != nil {
		return err
	}
	return os.Rename(r.File+".new", r.File)
}

func main() {
	roadmap := &Roadmap{Secret: os.Getenv("LEANBE_WEBHOOK_SECRET"), File: "roadmap.json"}
	log.Fatal(http.ListenAndServe("127.0.0.1:8000", roadmap))
}

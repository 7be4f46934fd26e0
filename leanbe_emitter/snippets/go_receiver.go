// A receiver of Leanbe's webhooks in Go (1.19 or later), without modules, to start from.
//
//	LEANBE_WEBHOOK_SECRET=whsec_test PORT=8000 go run receiver.go
package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync"
)

const mostBytes = 2 << 20

var handlers = map[string]func(payload []byte) error{
	"idea.created": ideaCreated,
}

// Replace this by your own code.
func ideaCreated(payload []byte) error {
	var idea struct{ Title *string }
	if err := json.Unmarshal(payload, &idea); err != nil {
		return err
	}
	if idea.Title == nil {
		return errors.New("an idea without a title")
	}
	fmt.Println("new idea:", *idea.Title)
	return nil
}

type envelope struct {
	// As it came: json.Marshal would sort keys and escape "<", and Leanbe signs the text.
	Payload                       json.RawMessage
	Event, TriggeredAt, Signature *string
}

type receiver struct {
	secret []byte
	// The same event may come twice. Leanbe sends no id with it, but three values identify an event:
	// store them in your database, under a unique key, in the transaction that handles the event.
	seen  map[[3]string]bool
	mutex sync.Mutex
}

func (r *receiver) isSigned(text []byte, signature string) bool {
	mac := hmac.New(sha256.New, r.secret)
	mac.Write(text)
	return hmac.Equal([]byte(hex.EncodeToString(mac.Sum(nil))), []byte(signature))
}

// Answer quickly: nobody knows how long Leanbe waits. Put long work into a task queue.
func (r *receiver) receive(body []byte) int {
	var sent envelope
	var text bytes.Buffer
	if json.Unmarshal(body, &sent) != nil || sent.Event == nil || sent.TriggeredAt == nil {
		return http.StatusBadRequest
	}
	// Compact drops the white space of an indented body, and changes nothing else.
	if json.Compact(&text, sent.Payload) != nil {
		return http.StatusBadRequest
	}
	if sent.Signature == nil || !r.isSigned(text.Bytes(), *sent.Signature) {
		return http.StatusUnauthorized
	}
	if err := r.once(*sent.Event, *sent.TriggeredAt, text.Bytes()); err != nil {
		log.Print(err)
		return http.StatusInternalServerError
	}
	return http.StatusNoContent
}

func (r *receiver) once(event, triggeredAt string, payload []byte) error {
	var document struct {
		ID string `json:"_id"`
	}
	_ = json.Unmarshal(payload, &document) // an unknown event may carry anything
	key := [3]string{event, document.ID, triggeredAt}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	handle := handlers[event]
	if handle == nil || r.seen[key] { // accept all other events, also new ones
		return nil
	}
	if err := handle(payload); err != nil {
		return err
	}
	r.seen[key] = true
	return nil
}

func (r *receiver) ServeHTTP(answer http.ResponseWriter, request *http.Request) {
	if request.Method != http.MethodPost || request.URL.Path != "/hooks/leanbe" {
		answer.WriteHeader(http.StatusNotFound)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(answer, request.Body, mostBytes))
	if err != nil {
		answer.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	answer.WriteHeader(r.receive(body))
}

func main() {
	secret, port := os.Getenv("LEANBE_WEBHOOK_SECRET"), os.Getenv("PORT")
	if secret == "" {
		log.Fatal("LEANBE_WEBHOOK_SECRET is empty: anybody could sign.")
	}
	if port == "" {
		port = "8000"
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s/hooks/leanbe\n", listener.Addr())
	log.Fatal(http.Serve(listener, &receiver{secret: []byte(secret), seen: map[[3]string]bool{}}))
}

// A client of leanbe-emitter's API for test suites in Go (1.19 or later), without modules.
// Save it as emitter_test.go, and give it the package of your tests.
//
//	emitter := Emitter{t}
//	deliveries := emitter.Wait(emitter.Trigger("Acme", "idea.created", Object{"title": "Dark mode"}))
//
// `leanbe-emitter exec -- go test` starts a server for the suite and names it in the environment.
package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"testing"
)

// Object is a JSON object.
type Object = map[string]any

// Emitter calls the API. A call that fails ends the test.
type Emitter struct{ testing.TB }

// Delivery is an event that was sent, with its attempts.
type Delivery struct {
	Event    struct{ Event string }
	Status   string
	Attempts []Attempt
}

// Attempt is one request; Answer is nil if no complete answer came, and Error says why.
type Attempt struct {
	Outcome string
	Error   string
	Answer  *struct {
		Status int
		Body   string
	}
}

// Reset deletes everything. The clock keeps its time.
func (e Emitter) Reset() {
	e.Helper()
	e.Post("reset", Object{}, nil)
}

// CreateProduct creates a product that sends its events to a URL; an assumption is "timeout": "3s".
func (e Emitter) CreateProduct(name, url, secret string, assumptions Object) {
	e.Helper()
	webhook := Object{"url": url, "secret": secret}
	e.Post("products", Object{"name": name, "webhook": webhook, "assumptions": assumptions}, nil)
}

// Trigger raises one event with sample data; set has the values that matter: "title": "Dark mode".
// It returns the place in the server's journal before its effects, where Wait begins.
func (e Emitter) Trigger(product, event string, set Object) (cursor string) {
	e.Helper()
	return e.Post("products/"+url.PathEscape(product)+"/events", Object{"event": event, "set": set}, nil)
}

// Wait waits until all that a call brought about was attempted; the newest delivery is the first.
func (e Emitter) Wait(cursor string) []Delivery {
	e.Helper()
	var page struct{ Items []Delivery }
	e.Post("deliveries/wait", Object{"after": cursor}, &page)
	return page.Items
}

// Advance moves the clock: retries that fall due on the way happen.
func (e Emitter) Advance(seconds int) {
	e.Helper()
	e.Post("clock/advance", Object{"seconds": seconds}, nil)
}

// ArmFault arms a fault, such as "kind": "delivered_twice"; it may have how, times, event, product.
func (e Emitter) ArmFault(fault Object) {
	e.Helper()
	e.Post("faults", fault, nil)
}

// Post posts a body to a path below /api/v1/, reads the answer into a value, and returns the cursor
// before the call's effects.
func (e Emitter) Post(path string, body Object, into any) (cursor string) {
	e.Helper()
	server := os.Getenv("LEANBE_EMITTER_URL")
	if server == "" {
		server = "http://127.0.0.1:5326"
	}
	content, err := json.Marshal(body)
	if err != nil {
		e.Fatal(err)
	}
	request, err := http.NewRequest("POST", server+"/api/v1/"+path, bytes.NewReader(content))
	if err != nil {
		e.Fatal(err)
	}
	if token := os.Getenv("LEANBE_EMITTER_TOKEN"); token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		e.Fatal(err)
	}
	defer answer.Body.Close()
	var problem struct{ Detail, Hint string }
	if answer.StatusCode >= 400 {
		into = &problem
	}
	if into != nil {
		err = json.NewDecoder(answer.Body).Decode(into)
	}
	if err != nil || answer.StatusCode >= 400 {
		e.Fatal(path, ": ", problem.Detail, " ", problem.Hint, err)
	}
	return answer.Header.Get("Leanbe-Emitter-Cursor")
}

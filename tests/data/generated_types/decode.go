// Decodes each body of the list on stdin, and prints the list of the values as JSON.
package main

import (
	"encoding/json"
	"errors"
	"os"

	"receiver/leanbe"
)

func main() {
	var bodies []string
	if err := json.NewDecoder(os.Stdin).Decode(&bodies); err != nil {
		panic(err)
	}
	events := make([]leanbe.Event, len(bodies))
	for position, body := range bodies {
		event, err := leanbe.Decode([]byte(body))
		if err != nil {
			panic(err)
		}
		events[position] = event
	}
	if err := json.NewEncoder(os.Stdout).Encode(events); err != nil {
		panic(err)
	}
	if _, err := leanbe.Decode([]byte(`{"event":"idea.renamed"}`)); errors.Is(err, leanbe.ErrUnknownEvent) {
		os.Stderr.WriteString("unknown")
	}
}

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"testing"
)

type suite struct {
	Emitter
	origin string
}

// Start a receiver with an empty file, and make a product that points to it.
func start(t *testing.T) suite {
	secret := os.Getenv("LEANBE_WEBHOOK_SECRET")
	if secret == "" {
		secret = "whsec_test"
	}
	receiver := httptest.NewServer(&Roadmap{Secret: secret, File: t.TempDir() + "/roadmap.json"})
	t.Cleanup(receiver.Close)
	s := suite{Emitter: Emitter{t}, origin: receiver.URL}
	s.Reset()
	s.CreateProduct("Acme", receiver.URL+"/hooks/leanbe", secret, Object{"timeout": "3s"})
	return s
}

func TestWhatIsPromotedIsOnTheRoadmap(t *testing.T) {
	s := start(t)
	var idea struct {
		ID string `json:"_id"`
	}
	cursor := s.Post("products/Acme/ideas", Object{"title": "<Themes> & more"}, &idea)
	s.Post("products/Acme/ideas/"+idea.ID+"/promote", Object{}, nil)
	s.expectAnswers(cursor, "idea.created: delivered", "idea.promoted: delivered", "backlogItem.created: delivered")
	s.expectRoadmap("<Themes> & more")
}

func TestAnOutageLosesNothing(t *testing.T) {
	s := start(t)
	s.ArmFault(Object{"kind": "receiver_fails", "how": "status:503", "times": 2})
	cursor := s.promoted("Themes")
	s.Advance(3600)
	var outcomes []string
	for _, attempt := range s.Wait(cursor)[0].Attempts {
		outcomes = append(outcomes, attempt.Outcome)
	}
	s.expect(outcomes, []string{"refused", "refused", "delivered"})
	s.expectRoadmap("Themes")
}

func TestWhatComesAgainIsOnTheRoadmapOnce(t *testing.T) {
	s := start(t)
	s.ArmFault(Object{"kind": "delivered_twice"})
	s.Wait(s.promoted("Themes"))
	s.expectRoadmap("Themes")
}

func TestWhatLeanbeDidNotSignIsRefused(t *testing.T) {
	for _, kind := range []string{"wrong_secret", "tampered_payload", "missing_signature"} {
		t.Run(kind, func(t *testing.T) {
			s := start(t)
			s.ArmFault(Object{"kind": kind})
			s.expectAnswers(s.promoted("Themes"), "idea.promoted: refused 401 bad signature")
			s.expectRoadmap()
		})
	}
}

func TestAnEventThatNobodyKnowsIsAccepted(t *testing.T) {
	s := start(t)
	s.ArmFault(Object{"kind": "unknown_event"})
	s.expectAnswers(s.promoted("Themes"), "idea.promoted: delivered")
	s.expectRoadmap()
}

// Raise one event, made up, of an idea with this title.
func (s suite) promoted(title string) (cursor string) {
	return s.Trigger("Acme", "idea.promoted", Object{"title": title})
}

// Compare what came of the last attempt of each delivery.
func (s suite) expectAnswers(cursor string, wanted ...string) {
	s.Helper()
	var answers []string
	for _, delivery := range s.Wait(cursor) {
		attempt := delivery.Attempts[len(delivery.Attempts)-1]
		answer := delivery.Event.Event + ": " + attempt.Outcome
		if attempt.Outcome != "delivered" && attempt.Answer != nil {
			answer += fmt.Sprintf(" %d %s", attempt.Answer.Status, attempt.Answer.Body)
		} else if attempt.Outcome != "delivered" {
			answer += " " + attempt.Error
		}
		answers = append([]string{strings.TrimSpace(answer)}, answers...)
	}
	s.expect(answers, wanted)
}

func (s suite) expectRoadmap(wanted ...string) {
	s.Helper()
	answer, err := http.Get(s.origin + "/roadmap")
	if err != nil {
		s.Fatal(err)
	}
	defer answer.Body.Close()
	var titles []string
	if err := json.NewDecoder(answer.Body).Decode(&titles); err != nil {
		s.Fatal(err)
	}
	s.expect(titles, wanted)
}

func (s suite) expect(found, wanted []string) {
	s.Helper()
	if len(found)+len(wanted) > 0 && !reflect.DeepEqual(found, wanted) {
		s.Fatalf("\nfound:  %q\nwanted: %q", found, wanted)
	}
}

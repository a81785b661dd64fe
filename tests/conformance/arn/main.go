// Command arn says what the authenticator makes of the ARN in an IAMIdentityMapping.
//
// It reads one JSON document a line and answers each with one: the canonical ARN that the
// authenticator's controller would write into the mapping's status, or why it refuses the ARN.
package main

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"

	"sigs.k8s.io/aws-iam-authenticator/pkg/arn"
)

type question struct {
	ARN string `json:"arn"`
}

type answer struct {
	Canonical string `json:"canonical,omitempty"`
	Error     string `json:"error,omitempty"`
}

func main() {
	questions := json.NewDecoder(bufio.NewReader(os.Stdin))
	answers := json.NewEncoder(os.Stdout)
	for {
		var asked question
		if questions.Decode(&asked) != nil {
			return
		}
		answers.Encode(read(asked.ARN))
	}
}

// read does what the controller's syncHandler does with a mapping's spec.arn.
func read(text string) answer {
	_, canonical, err := arn.Canonicalize(strings.ToLower(text))
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Canonical: canonical}
}

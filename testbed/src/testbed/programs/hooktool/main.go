// Command hooktool is every hook tool of the Juju stand-in: a charm finds it under the
// names relation-get, status-set and so on, and it passes what it was called with to the
// controller over a unix socket and prints the answer.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// request is one call of a hook tool, one JSON document on a line.
type request struct {
	Context string            `json:"context"`
	Tool    string            `json:"tool"`
	Args    []string          `json:"args"`
	Files   map[string][]byte `json:"files,omitempty"` // by the path that the arguments name, "-" is stdin
}

type response struct {
	Code   int    `json:"code"`
	Stdout []byte `json:"stdout"`
	Stderr []byte `json:"stderr"`
}

func main() {
	answer, err := call(filepath.Base(os.Args[0]), os.Args[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "ERROR %v\n", err)
		os.Exit(1)
	}
	os.Stdout.Write(answer.Stdout)
	os.Stderr.Write(answer.Stderr)
	os.Exit(answer.Code)
}

func call(tool string, args []string) (*response, error) {
	address, context := os.Getenv("JUJU_AGENT_SOCKET_ADDRESS"), os.Getenv("JUJU_CONTEXT_ID")
	if address == "" || context == "" {
		return nil, fmt.Errorf("%s works only inside a hook: JUJU_AGENT_SOCKET_ADDRESS or JUJU_CONTEXT_ID is not set", tool)
	}
	files, err := filesOf(args)
	if err != nil {
		return nil, err
	}
	line, err := json.Marshal(request{context, tool, args, files})
	if err != nil {
		return nil, err
	}
	conn, err := net.Dial("unix", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if _, err := conn.Write(append(line, '\n')); err != nil {
		return nil, err
	}
	answer := &response{}
	if err := json.NewDecoder(conn).Decode(answer); err != nil {
		return nil, fmt.Errorf("no answer from the agent: %v", err)
	}
	return answer, nil
}

// filesOf reads what the arguments point at, since only this process sees the machine's files:
// "--file PATH", "--file=PATH" and "KEY#file=PATH"; the path "-" is standard input.
func filesOf(args []string) (map[string][]byte, error) {
	files := map[string][]byte{}
	for i, arg := range args {
		if arg == "--" {
			break
		}
		path := ""
		if _, value, found := strings.Cut(arg, "#file="); found {
			path = value
		} else if value, found := strings.CutPrefix(arg, "--file="); found {
			path = value
		} else if arg == "--file" && i+1 < len(args) {
			path = args[i+1]
		}
		if path == "" {
			continue
		}
		content, err := read(path)
		if err != nil {
			return nil, err
		}
		files[path] = content
	}
	return files, nil
}

func read(path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(os.Stdin)
	}
	return os.ReadFile(path)
}

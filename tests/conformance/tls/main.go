// Command tls says whether kube-apiserver would accept a key pair that the authenticator serves.
//
// It reads one JSON document a line and answers each with one: the result of a TLS handshake
// in memory, between a server and a client that are set up as those two programs do it.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

const timeout = 10 * time.Second

type question struct {
	Certificate string `json:"certificate"` // PEM: the leaf, and what is served with it
	Key         string `json:"key"`         // PEM
	CA          string `json:"ca"`          // PEM: certificate-authority-data
	Name        string `json:"name"`        // tls-server-name
}

type answer struct {
	Accepted bool   `json:"accepted"`
	Error    string `json:"error"`
}

func main() {
	questions := json.NewDecoder(bufio.NewReader(os.Stdin))
	answers := json.NewEncoder(os.Stdout)
	for {
		var asked question
		if questions.Decode(&asked) != nil {
			return
		}
		verdict := answer{Accepted: true}
		if err := accept(asked); err != nil {
			verdict = answer{Error: err.Error()}
		}
		answers.Encode(verdict)
	}
}

// accept returns why the client does not accept the pair, or the server cannot serve it.
func accept(asked question) error {
	pair, err := tls.X509KeyPair([]byte(asked.Certificate), []byte(asked.Key))
	if err != nil {
		return fmt.Errorf("server: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(asked.CA)) {
		return errors.New("client: no authority")
	}
	return handshake(
		&tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}},
		&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, ServerName: asked.Name},
	)
}

// handshake returns the client's error, or the server's where the client has none of its own.
func handshake(server, client *tls.Config) error {
	serverEnd, clientEnd := net.Pipe()
	deadline := time.Now().Add(timeout)
	serverEnd.SetDeadline(deadline)
	clientEnd.SetDeadline(deadline)
	served := make(chan error, 1)
	go func() {
		// The server may wait for the client's end, and the client for the server's.
		defer serverEnd.Close()
		connection := tls.Server(serverEnd, server)
		if err := connection.Handshake(); err != nil {
			served <- err
			return
		}
		_, err := connection.Write([]byte{0})
		served <- err
	}()
	accepted := exchange(tls.Client(clientEnd, client))
	clientEnd.Close()
	return errors.Join(accepted, <-served)
}

// exchange also reads one byte: with TLS 1.3 the client is done before the server is.
func exchange(connection *tls.Conn) error {
	if err := connection.Handshake(); err != nil {
		return fmt.Errorf("client: %w", err)
	}
	if _, err := connection.Read(make([]byte, 1)); err != nil {
		return fmt.Errorf("client: %w", err)
	}
	return nil
}

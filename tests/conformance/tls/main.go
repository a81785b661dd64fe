// Command tls says whether kube-apiserver would accept a key pair that the authenticator serves.
//
// It reads one JSON document a line and answers each with one: the result of a TLS handshake
// between a server and a client that are set up as those two programs do it.
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
	"syscall"
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

// handshake returns the client's error, and the server's.
func handshake(server, client *tls.Config) error {
	serverEnd, clientEnd, err := connected()
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() {
		defer serverEnd.Close()
		connection := tls.Server(serverEnd, server)
		if err := connection.Handshake(); err != nil {
			served <- fmt.Errorf("server: %w", err)
			return
		}
		_, err := connection.Write([]byte{0})
		served <- err
	}()
	accepted := exchange(tls.Client(clientEnd, client))
	clientEnd.Close()
	return errors.Join(accepted, <-served)
}

// connected returns two ends of a socket. Of net.Pipe, which has no buffer, both could write at
// the same time, and wait for each other.
func connected() (net.Conn, net.Conn, error) {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, nil, err
	}
	var ends [2]net.Conn
	for i, descriptor := range pair {
		file := os.NewFile(uintptr(descriptor), "socket")
		ends[i], err = net.FileConn(file)
		file.Close()
		if err != nil {
			return nil, nil, err
		}
		ends[i].SetDeadline(time.Now().Add(timeout))
	}
	return ends[0], ends[1], nil
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

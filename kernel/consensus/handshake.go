package consensus

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/profferhq/proffer/kernel/credential"
)

// The handshake on a fresh connection between two masters: each proves that it
// has the cluster key without showing it, and a peer that has not is told so in
// a sentence.
//
//	dialer:   "PRAFT1\n" (raft follows) or "PTALK1\n" (a question follows), 32 random bytes
//	acceptor: 32 random bytes
//	dialer:   MAC("dialer", both randoms)
//	acceptor: 'K', MAC("acceptor", both randoms)   or   'R', length, sentence
//
// With --insecure the key is zeros on both sides: then it only keeps strangers'
// protocols out.
const (
	helloRaft        = "PRAFT1\n"
	helloTalk        = "PTALK1\n"
	nonceSize        = 32
	handshakeTimeout = 5 * time.Second
	verdictKnown     = 'K'
	verdictRefused   = 'R'
)

const refusal = "refused: you do not have this cluster's key (start the master with the key file of the cluster, --key FILE)"

// dialHandshake proves us to the acceptor and checks that it is one of ours.
func dialHandshake(conn net.Conn, key credential.Key, hello string) error {
	if err := conn.SetDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return err
	}
	nonces := make([]byte, 2*nonceSize)
	_, _ = rand.Read(nonces[:nonceSize])
	if _, err := conn.Write(append([]byte(hello), nonces[:nonceSize]...)); err != nil {
		return err
	}
	if _, err := io.ReadFull(conn, nonces[nonceSize:]); err != nil {
		return fmt.Errorf("raft peer %s did not answer the handshake: %w", conn.RemoteAddr(), err)
	}
	if _, err := conn.Write(key.Prove(credential.PurposeRaft, "dialer", nonces)); err != nil {
		return err
	}
	verdict := make([]byte, 2)
	if _, err := io.ReadFull(conn, verdict); err != nil {
		return fmt.Errorf("raft peer %s hung up in the handshake: %w", conn.RemoteAddr(), err)
	}
	if verdict[0] == verdictRefused {
		why := make([]byte, verdict[1])
		_, _ = io.ReadFull(conn, why)
		return fmt.Errorf("raft peer %s said: %s", conn.RemoteAddr(), printable(why))
	}
	proof := make([]byte, 32)
	proof[0] = verdict[1]
	if _, err := io.ReadFull(conn, proof[1:]); err != nil {
		return err
	}
	if verdict[0] != verdictKnown || !key.CheckProof(credential.PurposeRaft, "acceptor", nonces, proof) {
		return fmt.Errorf("raft peer %s is not of this cluster: it does not have the cluster key", conn.RemoteAddr())
	}
	return conn.SetDeadline(time.Time{})
}

// acceptHandshake checks the dialer and proves us to it. It gives the word with which
// the dialer said what it wants.
func acceptHandshake(conn net.Conn, key credential.Key) (hello string, err error) {
	if err := conn.SetDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return "", err
	}
	first := make([]byte, len(helloRaft)+nonceSize)
	if _, err := io.ReadFull(conn, first); err != nil {
		return "", fmt.Errorf("%s sent no handshake: %w", conn.RemoteAddr(), err)
	}
	if hello = string(first[:len(helloRaft)]); hello != helloRaft && hello != helloTalk {
		return "", errors.Join(refuse(conn, "refused: this port is for the masters of a Proffer cluster"),
			fmt.Errorf("%s does not speak the masters' protocol", conn.RemoteAddr()))
	}
	nonces := make([]byte, 2*nonceSize)
	copy(nonces, first[len(helloRaft):])
	_, _ = rand.Read(nonces[nonceSize:])
	if _, err := conn.Write(nonces[nonceSize:]); err != nil {
		return "", err
	}
	proof := make([]byte, 32)
	if _, err := io.ReadFull(conn, proof); err != nil {
		return "", fmt.Errorf("%s hung up in the handshake: %w", conn.RemoteAddr(), err)
	}
	if !key.CheckProof(credential.PurposeRaft, "dialer", nonces, proof) {
		return "", errors.Join(refuse(conn, refusal), fmt.Errorf("refused the raft peer %s: it does not have this cluster's key", conn.RemoteAddr()))
	}
	answer := append([]byte{verdictKnown}, key.Prove(credential.PurposeRaft, "acceptor", nonces)...)
	if _, err := conn.Write(answer); err != nil {
		return "", err
	}
	return hello, conn.SetDeadline(time.Time{})
}

func refuse(conn net.Conn, why string) error {
	_, err := conn.Write(append([]byte{verdictRefused, byte(len(why))}, why...))
	return err
}

// printable keeps what a stranger says from playing tricks with a terminal.
func printable(text []byte) string {
	out := make([]byte, 0, len(text))
	for _, c := range text {
		if c < ' ' || c > '~' {
			c = '?'
		}
		out = append(out, c)
	}
	return string(out)
}

package credential

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/profferhq/proffer/sdk"
)

// KeySize is the length of a cluster key in bytes.
const KeySize = 32

// Key is the cluster's secret. Masters and agents hold it; whoever has it can
// be any of them, so it never leaves the machine by itself: what goes over a
// wire is derived from it (Derive, Sign, Prove).
type Key [KeySize]byte

// Format keeps the key out of logs and error texts, whatever the verb.
func (Key) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[cluster key]")) }

// MarshalText keeps the key out of JSON logs.
func (Key) MarshalText() ([]byte, error) { return []byte("[cluster key]"), nil }

// IsZero tells that no key was given.
func (k Key) IsZero() bool { return k == Key{} }

// Derive is the key for one purpose. Purposes are separate: a key derived for
// gossip does not verify a token. The purposes in use are the constants below.
func (k Key) Derive(purpose string) Key {
	mac := hmac.New(sha256.New, k[:])
	mac.Write([]byte("proffer/1/" + purpose))
	var d Key
	mac.Sum(d[:0])
	return d
}

// The purposes of derived keys.
const (
	PurposeToken  = "token"  // signatures of tokens
	PurposeGossip = "gossip" // memberlist's secret key
	PurposeRaft   = "raft"   // handshake of raft's transport
	PurposeLink   = "link"   // a master's proof to an agent
)

// Hex is the key as its file holds it.
func (k Key) Hex() string { return hex.EncodeToString(k[:]) }

// ParseKey reads the text of a key file: 64 hexadecimal digits, white space
// around them ignored. The error is CodeInvalid and never repeats the text.
func ParseKey(text string) (Key, error) {
	var k Key
	raw, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil || len(raw) != KeySize {
		return Key{}, sdk.Errorf(sdk.CodeInvalid, "key", "a cluster key is %d hexadecimal digits, this text is not one", 2*KeySize)
	}
	copy(k[:], raw)
	if k.IsZero() {
		return Key{}, sdk.Errorf(sdk.CodeInvalid, "key", "a cluster key of zeros protects nothing")
	}
	return k, nil
}

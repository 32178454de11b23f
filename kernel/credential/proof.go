package credential

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
)

// Headers of a proof over HTTP: the caller sends a fresh random challenge, the
// answerer the proof, and each knows that the other holds the key.
const (
	HeaderChallenge = "Proffer-Challenge"
	HeaderProof     = "Proffer-Proof"
)

// Prove answers a challenge: the MAC of purpose-bound context and challenge.
// context names who proves what ("server", "client", …), so that an answer can
// not be played back in the other direction.
func (k Key) Prove(purpose, context string, challenge []byte) []byte {
	d := k.Derive(purpose)
	mac := hmac.New(sha256.New, d[:])
	mac.Write([]byte{byte(len(context))})
	mac.Write([]byte(context))
	mac.Write(challenge)
	return mac.Sum(nil)
}

// CheckProof tells whether proof answers the challenge, in constant time.
func (k Key) CheckProof(purpose, context string, challenge, proof []byte) bool {
	return hmac.Equal(proof, k.Prove(purpose, context, challenge))
}

// LinkProof is the value of HeaderProof for the value of HeaderChallenge: how a
// master proves itself to an agent.
func (k Key) LinkProof(challenge string) string {
	return base64.RawURLEncoding.EncodeToString(k.Prove(PurposeLink, "master", []byte(challenge)))
}

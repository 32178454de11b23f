package credential

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// Kind says what the holder of a token is.
type Kind string

// The kinds of tokens and what each may do.
const (
	KindOperator  Kind = "operator"  // a person or tool: every call of the operator and scheduler APIs
	KindAgent     Kind = "agent"     // an agent: the agent endpoint only
	KindMaster    Kind = "master"    // another master: forwarded reads
	KindFramework Kind = "framework" // a task that is a framework: the scheduler API as its principal, while the task lives
	KindExecutor  Kind = "executor"  // an executor: its own agent only; masters refuse it
	KindReader    Kind = "reader"    // a master that fetches a task's output: from the agent of that task, for a moment
)

// Claims is what a token says about its holder.
type Claims struct {
	Kind        Kind            `json:"k"`
	Principal   string          `json:"p,omitempty"`
	FrameworkID sdk.FrameworkID `json:"f,omitempty"` // executor: whose executor; framework: the framework that launched its task; reader: whose task
	ExecutorID  sdk.ExecutorID  `json:"e,omitempty"` // executor only
	TaskID      sdk.TaskID      `json:"t,omitempty"` // framework: valid while this task lives; reader: whose output
	AgentID     sdk.AgentID     `json:"a,omitempty"` // where the token was made, so framework: where its task is; reader: where it is good
	Issued      int64           `json:"i,omitempty"` // unix seconds
}

// readerLife is how long the token of a reader is good: what clocks may differ by, too.
const readerLife = 2 * time.Minute

// Reads tells whether these are the claims of a reader of that task's output, at that
// agent and time.
func (c Claims) Reads(f sdk.FrameworkID, t sdk.TaskID, a sdk.AgentID, now time.Time) bool {
	return c.Kind == KindReader && c.FrameworkID == f && c.TaskID == t && c.AgentID == a && now.Sub(c.IssuedAt()).Abs() <= readerLife
}

// IssuedAt is Issued as a time.
func (c Claims) IssuedAt() time.Time { return time.Unix(c.Issued, 0) }

// prefix starts every token, so that secret scanners and people know one.
const prefix = "pfr1."

// maxToken bounds what Verify looks at, in bytes.
const maxToken = 4096

// Sign makes a token: prefix, claims, "." and the signature, in the URL alphabet
// of base64, so that it fits into headers, files and variables unquoted.
func (k Key) Sign(c Claims) string {
	body, err := json.Marshal(c)
	if err != nil {
		panic("credential: claims are plain strings and always encode: " + err.Error())
	}
	enc := base64.RawURLEncoding
	return prefix + enc.EncodeToString(body) + "." + enc.EncodeToString(k.signature(body))
}

func (k Key) signature(body []byte) []byte {
	d := k.Derive(PurposeToken)
	mac := hmac.New(sha256.New, d[:])
	mac.Write(body)
	return mac.Sum(nil)
}

// Verify checks a token made by Sign with the same key and tells its claims.
// Errors are CodeUnauthenticated; they never repeat the token. Signatures are
// compared in constant time, and no claim is decoded before its signature held.
func (k Key) Verify(token string) (Claims, error) {
	refuse := func(why string) (Claims, error) {
		return Claims{}, sdk.Errorf(sdk.CodeUnauthenticated, "", "the token %s", why)
	}
	rest, ok := strings.CutPrefix(token, prefix)
	switch {
	case token == "":
		return refuse("is empty")
	case !ok || len(token) > maxToken:
		return refuse("is not one of this system (they start with " + prefix + ")")
	}
	head, tail, ok := strings.Cut(rest, ".")
	if !ok {
		return refuse("is cut off")
	}
	enc := base64.RawURLEncoding.Strict()
	body, err1 := enc.DecodeString(head)
	sig, err2 := enc.DecodeString(tail)
	if err1 != nil || err2 != nil {
		return refuse("is damaged")
	}
	if !hmac.Equal(sig, k.signature(body)) {
		return refuse("was not signed with this cluster's key, or was changed")
	}
	var c Claims
	if err := json.Unmarshal(body, &c); err != nil {
		return refuse("is of a newer version that this one does not know")
	}
	switch c.Kind {
	case KindOperator, KindAgent, KindMaster, KindFramework, KindExecutor, KindReader:
		return c, nil
	}
	return refuse("is of the kind " + string(c.Kind) + ", which this version does not know")
}

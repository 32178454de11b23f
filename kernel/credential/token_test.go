package credential

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
)

func fixedKey() Key {
	var k Key
	for i := range k {
		k[i] = byte(i + 1)
	}
	return k
}

func TestTokenTellsItsClaims(t *testing.T) {
	k := NewKey()
	for _, c := range []Claims{
		{Kind: KindOperator, Principal: "alice", Issued: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC).Unix()},
		{Kind: KindAgent, AgentID: "c-S0"},
		{Kind: KindMaster},
		{Kind: KindFramework, Principal: "märathonish", FrameworkID: "c-0000", TaskID: "t.1", AgentID: "c-S1"},
		{Kind: KindExecutor, FrameworkID: "c-0000", ExecutorID: "x y"},
		{Kind: KindReader, FrameworkID: "c-0000", TaskID: "t.1", AgentID: "c-S1", Issued: 1},
	} {
		token := k.Sign(c)
		got, err := k.Verify(token)
		if err != nil || got != c {
			t.Errorf("%+v came back as %+v, %v", c, got, err)
		}
		if strings.ContainsAny(token, " \t\n\"'\\$:,;") {
			t.Errorf("%q can not stand unquoted in a header or file", token)
		}
		if _, err := NewKey().Verify(token); sdk.CodeOf(err) != sdk.CodeUnauthenticated {
			t.Errorf("another key says %v", err)
		}
		if _, err := k.Derive(PurposeToken).Verify(token); err == nil {
			t.Error("a derived key verifies as the key itself")
		}
	}
}

// Every changed byte, every cut and every addition is refused, and no refusal
// repeats the token.
func TestTamperedTokenIsRefused(t *testing.T) {
	k := fixedKey()
	token := k.Sign(Claims{Kind: KindOperator, Principal: "operator"})
	check := func(bad string) {
		t.Helper()
		if bad == token {
			return
		}
		_, err := k.Verify(bad)
		if sdk.CodeOf(err) != sdk.CodeUnauthenticated {
			t.Errorf("%q: %v", bad, err)
		} else if len(bad) > 20 && strings.Contains(err.Error(), bad[8:20]) {
			t.Errorf("the refusal repeats the token: %v", err)
		}
	}
	for i := range token {
		for _, c := range []byte{'A', 'B', '.', '=', '+', 0, 0xff} {
			check(token[:i] + string(c) + token[i+1:])
		}
		check(token[:i])
		check(token[:i] + token[i+1:])
		check(token[:i] + "A" + token[i:])
	}
	check("")
	check(token + token)
	check(strings.ToUpper(token))
	check(strings.Repeat("A", 1<<20))
}

// A forger who knows the format but not the key gains nothing by choosing kind,
// or by signing under a wrong purpose.
func TestForgedClaimsAreRefused(t *testing.T) {
	k := fixedKey()
	enc := base64.RawURLEncoding
	body, _ := json.Marshal(Claims{Kind: KindOperator, Principal: "operator"})
	for name, mac := range map[string][]byte{
		"no signature":    {},
		"zeros":           make([]byte, 32),
		"wrong purpose":   k.Prove(PurposeRaft, "token", body),
		"underived":       Key{}.signature(body),
		"of other claims": k.signature([]byte(`{"k":"executor"}`)),
	} {
		if _, err := k.Verify(prefix + enc.EncodeToString(body) + "." + enc.EncodeToString(mac)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	unknown := []byte(`{"k":"emperor"}`)
	if _, err := k.Verify(prefix + enc.EncodeToString(unknown) + "." + enc.EncodeToString(k.signature(unknown))); err == nil || !strings.Contains(err.Error(), "emperor") {
		t.Errorf("an unknown kind: %v", err)
	}
}

// The comparison must not tell by its time how much of a signature was right. Time on a
// shared machine proves nothing, so the source is asked: whatever compares bytes here does
// it by hmac.Equal. BenchmarkWrongSignature prints the times.
func TestComparisonTakesConstantTime(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	constant := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			of, _ := s.X.(*ast.Ident)
			switch {
			case of == nil:
			case of.Name == "hmac" && s.Sel.Name == "Equal":
				constant++
			case s.Sel.Name == "Equal" || s.Sel.Name == "Compare" || s.Sel.Name == "EqualFold":
				t.Errorf("%s: %s.%s tells by its time where two values differ", name, of.Name, s.Sel.Name)
			}
			return true
		})
	}
	if constant < 2 {
		t.Errorf("%d comparisons by hmac.Equal; tokens and proofs need one each", constant)
	}
}

func BenchmarkWrongSignature(b *testing.B) {
	k := fixedKey()
	good := k.Sign(Claims{Kind: KindOperator, Principal: "operator"})
	for name, at := range map[string]int{"first": strings.LastIndexByte(good, '.') + 1, "last": len(good) - 3} {
		c := byte('A')
		if good[at] == c {
			c = 'B'
		}
		bad := good[:at] + string(c) + good[at+1:]
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, _ = k.Verify(bad)
			}
		})
	}
}

func TestProofIsBoundToPurposeContextAndChallenge(t *testing.T) {
	k := fixedKey()
	p := k.Prove(PurposeRaft, "dialer", []byte("abc"))
	if !k.CheckProof(PurposeRaft, "dialer", []byte("abc"), p) {
		t.Error("the right proof is refused")
	}
	if k.CheckProof(PurposeLink, "dialer", []byte("abc"), p) || k.CheckProof(PurposeRaft, "acceptor", []byte("abc"), p) ||
		k.CheckProof(PurposeRaft, "dialer", []byte("abd"), p) || k.CheckProof(PurposeRaft, "diale", []byte("rabc"), p) || NewKey().CheckProof(PurposeRaft, "dialer", []byte("abc"), p) {
		t.Error("a proof holds for something else")
	}
}

// P22: the key shows in no print, log or JSON.
func TestKeyNeverShows(t *testing.T) {
	k := fixedKey()
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", k)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", k, "in", struct{ K Key }{k})
	data, _ := json.Marshal(map[string]any{"key": k})
	all := fmt.Sprint(k) + fmt.Sprintf("%v %+v %#v %s %x %X %q %d %v", k, k, k, k, k, k, k, k, struct{ K Key }{k}) + string(data) + log.String()
	for _, leak := range []string{"010203", "1 2 3", "\x01\x02\x03", "AQID", "0x1, 0x2"} {
		if strings.Contains(all, leak) {
			t.Errorf("the key shows as %q in %s", leak, all)
		}
	}
}

func TestKeyFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	k, err := CreateKeyFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if again, err := CreateKeyFile(path); err != nil || again != k {
		t.Errorf("a second start made another key, or failed: %v", err)
	}
	if read, err := ReadKeyFile(path); err != nil || read != k {
		t.Errorf("read another key, or failed: %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left %v behind", entries)
	}
	for name, text := range map[string]string{"empty": "", "short": "abcd", "no hex": strings.Repeat("zz", 32), "long": strings.Repeat("ab", 33), "zeros": strings.Repeat("00", 32)} {
		bad := filepath.Join(dir, "bad")
		if err := os.WriteFile(bad, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadKeyFile(bad); err == nil || !strings.Contains(err.Error(), bad) || (len(text) > 3 && strings.Contains(err.Error(), text[:4])) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadKeyFile(path); err == nil || !strings.Contains(err.Error(), "0640") || !strings.Contains(err.Error(), "0600") {
		t.Errorf("a key that others can read: %v", err)
	}
	if _, err := ReadKeyFile(filepath.Join(dir, "missing")); err == nil {
		t.Error("a missing file is no error")
	}
	if _, err := ReadKeyFile(dir); err == nil {
		t.Error("a directory is no error")
	}
}

func TestTokenFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	for _, token := range []string{"first", "second"} {
		if err := WriteTokenFile(path, token); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadTokenFile(path); err != nil || got != token {
			t.Errorf("%q, %v", got, err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func FuzzVerify(f *testing.F) {
	k := fixedKey()
	f.Add(k.Sign(Claims{Kind: KindAgent}))
	f.Add("pfr1..")
	f.Fuzz(func(t *testing.T, token string) {
		c, err := k.Verify(token)
		if err == nil && k.Sign(c) != token {
			t.Errorf("%q is accepted as %+v, but it is not what Sign makes", token, c)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	k := fixedKey()
	token := k.Sign(Claims{Kind: KindFramework, Principal: "marathonish", FrameworkID: "c-0000", TaskID: "t.1"})
	for b.Loop() {
		if _, err := k.Verify(token); err != nil {
			b.Fatal(err)
		}
	}
}

// A reader reads the output of one task, at one agent, for a moment.
func TestAReaderReadsOneTask(t *testing.T) {
	now := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	c := Claims{Kind: KindReader, FrameworkID: "f", TaskID: "t", AgentID: "a", Issued: now.Unix()}
	for _, at := range []time.Duration{0, time.Minute, -time.Minute} {
		if !c.Reads("f", "t", "a", now.Add(at)) {
			t.Errorf("it does not read at %v", at)
		}
	}
	operator := c
	operator.Kind = KindOperator
	for what, reads := range map[string]bool{
		"another framework": c.Reads("g", "t", "a", now), "another task": c.Reads("f", "u", "a", now), "another agent": c.Reads("f", "t", "b", now),
		"later": c.Reads("f", "t", "a", now.Add(time.Hour)), "earlier": c.Reads("f", "t", "a", now.Add(-time.Hour)), "another kind": operator.Reads("f", "t", "a", now),
	} {
		if reads {
			t.Errorf("it reads: %s", what)
		}
	}
}

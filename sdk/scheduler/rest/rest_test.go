package rest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/gateway"
	"github.com/profferhq/proffer/sdk/scheduler/rest"
	"github.com/profferhq/proffer/sdk/scheduler/rest/resttest"
)

// TestFits holds Fits against a regular expression made of the pattern.
func TestFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "{x}", "{y}", "*"}), 0, 4).Draw(t, "pattern")
		if at := rapid.IntRange(-1, len(parts)-1).Draw(t, "long"); at >= 0 {
			parts[at] = "{z...}"
		}
		pattern := "/" + strings.Join(parts, "/")
		expr := regexp.QuoteMeta(pattern)
		for from, to := range map[string]string{"{x}": "[^/]+", "{y}": "[^/]+", "{z...}": "[^/]+(/[^/]+)*"} {
			expr = strings.ReplaceAll(expr, regexp.QuoteMeta(from), to)
		}
		path := "/" + strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "*"}), 0, 6).Draw(t, "path"), "/")
		if got, want := rest.Fits(pattern, strings.ReplaceAll(path, "/", "//")+"/"), regexp.MustCompile("^"+expr+"$").MatchString(path); got != want {
			t.Fatalf("%s fits %s: %v, %v is wanted", path, pattern, got, want)
		}
	})
}

// library is an API whose routes say what they were called with.
func library(leads bool) http.Handler {
	say := func(c *rest.Call) (rest.Answer, error) {
		return rest.JSON(fmt.Sprintf("%s|%s|%s", c.Arg("shelf"), c.Arg("book"), c.Arg("none")))
	}
	fail := func(err error) func(*rest.Call) (rest.Answer, error) {
		return func(*rest.Call) (rest.Answer, error) { return rest.Answer{}, err }
	}
	return rest.API{
		Name: "wordcount", Things: "books", Leads: func() bool { return leads },
		Unserved: func(path string) string {
			if path == "/films" {
				return "Films are not served yet."
			}
			return ""
		},
		Head: func(h http.Header) { h.Set("Cache-Control", "no-cache") },
		Routes: []rest.Route{
			{Method: "GET", Path: "/shelves/{shelf...}/books/{book}", Handle: say},
			{Method: "GET", Path: "/shelves/{shelf...}", Handle: say},
			{Method: "POST", Path: "/shelves/{shelf...}", Handle: func(c *rest.Call) (rest.Answer, error) {
				body, err := c.Body(4)
				return rest.Answer{Status: 201, Text: string(body), Header: map[string]string{"Location": c.R.URL.Path}}, err
			}},
			{Method: "DELETE", Path: "/shelves/{shelf...}", Handle: func(*rest.Call) (rest.Answer, error) { return rest.Answer{}, nil }},
			{Method: "GET", Path: "/ping", Always: true, Handle: func(c *rest.Call) (rest.Answer, error) { return rest.Answer{Text: c.ClientIP()}, nil }},
			{Method: "GET", Path: "/wrong/full", Handle: fail(sdk.Errorf(sdk.CodeExhausted, "space", "is full"))},
			{Method: "GET", Path: "/wrong/slow", Handle: fail(fmt.Errorf("it was: %w", context.DeadlineExceeded))},
			{Method: "GET", Path: "/wrong/gone", Handle: fail(context.Canceled)},
			{Method: "GET", Path: "/wrong/bug", Handle: fail(errors.New("broken"))},
			{Method: "GET", Path: "/wrong/asked", Handle: fail(fmt.Errorf("it was: %w", rest.Refusef(418, "Tea for %d.", 2)))},
			{Method: "GET", Path: "/wrong/json", Handle: func(*rest.Call) (rest.Answer, error) { return rest.JSON(func() {}) }},
		},
	}.Handler()
}

func ask(h http.Handler, operator bool, method, target, body string) *httptest.ResponseRecorder {
	r, w := httptest.NewRequest(method, target, strings.NewReader(body)), httptest.NewRecorder()
	resttest.As(gateway.Caller{Principal: "ada", Operator: operator}, h).ServeHTTP(w, r)
	return w
}

// TestAnswers: which line of the table answers what, and how.
func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		method, target, body string
		status               int
		want, header         string
	}{
		{"GET", "/shelves/a/b/books/c", "", 200, `"a/b|c|"`, ""},
		{"GET", "//shelves//a///books/c/", "", 200, `"a|c|"`, ""},
		{"HEAD", "/shelves/a/books", "", 200, `"a/books||"`, ""},
		{"GET", "/shelves/%3Ca%3E", "", 200, `"<a>||"`, ""},
		{"POST", "/shelves/a//b", "1234", 201, "1234", "Location: /shelves/a/b"},
		{"POST", "/shelves/a", "12345", 413, `{"message":"The body is larger than 4 bytes; send less at once."}`, ""},
		{"DELETE", "/shelves/a", "", 204, "", ""},
		{"PUT", "/shelves/a", "", 405, `{"message":"PUT is not a method of /shelves/a; use GET or POST or DELETE."}`, "Allow: GET, POST, DELETE"},
		{"OPTIONS", "/shelves/a", "", 204, "", "Allow: GET, POST, DELETE, OPTIONS"},
		{"GET", "/shelves", "", 404, `{"message":"/shelves is not served."}`, ""},
		{"GET", "/a%20b%2f" + strings.Repeat("x", 300), "", 404, `{"message":"/a%20b/` + strings.Repeat("x", 193) + `… is not served."}`, ""},
		{"GET", "/films/", "", 404, `{"message":"Films are not served yet."}`, ""},
		{"GET", "/ping", "", 200, "192.0.2.1", ""},
		{"GET", "/wrong/full", "", 429, `{"message":"space: is full"}`, ""},
		{"GET", "/wrong/slow", "", 503, `{"message":"The change was not stored in time; it may still happen."}`, "Retry-After: 1"},
		{"GET", "/wrong/gone", "", 503, `{"message":"The call was given up; the change may still happen."}`, "Retry-After: 1"},
		{"GET", "/wrong/bug", "", 500, `{"message":"broken"}`, ""},
		{"GET", "/wrong/asked", "", 418, `{"message":"Tea for 2."}`, ""},
		{"GET", "/wrong/json", "", 500, `{"message":"The answer cannot be written as JSON."}`, ""},
	} {
		w := ask(library(true), true, c.method, c.target, c.body)
		name, value, _ := strings.Cut(c.header, ": ")
		if w.Code != c.status || w.Body.String() != c.want || w.Header().Get(name) != value || w.Header().Get("Cache-Control") == "" {
			t.Errorf("%s %s: %d %s %v", c.method, c.target, w.Code, w.Body, w.Header())
		}
		if n := w.Header().Get("Content-Length"); w.Body.Len() > 0 && n != fmt.Sprint(w.Body.Len()) || w.Code == 204 && n != "" {
			t.Errorf("%s %s: Content-Length %q of %d", c.method, c.target, n, w.Body.Len())
		}
	}
}

// TestWhoMayAsk: nobody but operators; and who does not lead answers little.
func TestWhoMayAsk(t *testing.T) {
	for _, target := range []string{"/ping", "/shelves/a", "/nowhere"} {
		if w := ask(library(true), false, "GET", target, ""); w.Code != 403 || w.Body.String() != `{"message":"Only operators may use wordcount; the caller is \"ada\", who is none."}` {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	if w := ask(library(false), true, "GET", "/shelves/a", ""); w.Code != 503 || w.Header().Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), "This wordcount does not lead yet, or does not know its books yet") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := ask(library(false), true, "GET", "/ping", ""); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestClientIP: only what the gateway has put there counts, which is the last.
func TestClientIP(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header["X-Forwarded-For"] = []string{"10.0.0.1", "10.0.0.2, 10.0.0.3"}
	if got := (&rest.Call{R: r}).ClientIP(); got != "10.0.0.3" {
		t.Errorf("%s", got)
	}
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// rest is a client of a framework's API through the masters' gateway.
type rest struct {
	name        string // the framework's
	base, token string
	http        *http.Client
}

func newRest(u *upCluster, name string) *rest {
	return &rest{name: name, base: "http://" + u.addr + "/service/" + name, token: u.token,
		http: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}}
}

// call makes one call; a status of 300 or more is an error with the answer's text.
func (c *rest) call(ctx context.Context, method, path string, body, answer any) error {
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(data))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return err
	case resp.StatusCode >= 300:
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, text)
	case answer == nil:
		return nil
	}
	return json.Unmarshal(text, answer)
}

// await waits until the framework that leads answers: the boot has come as far.
func (c *rest) await(ctx context.Context) error {
	return poll(ctx, 30*time.Second, 20*time.Millisecond, c.name+" answers", func() error {
		return c.call(ctx, http.MethodGet, "/ping", nil, nil)
	})
}

package executor

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// api is the HTTP side of the executor API.
type api struct {
	client *http.Client
	url    string
	token  string
	enc    wire.Encoding
}

// callTimeout bounds one call other than SUBSCRIBE.
const callTimeout = 30 * time.Second

func newAPI(env Env, enc wire.Encoding) *api {
	t := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 2, IdleConnTimeout: 5 * time.Minute}
	host := env.Endpoint
	if env.DomainSocket != "" {
		host = "localhost"
		t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", env.DomainSocket)
		}
	}
	return &api{client: &http.Client{Transport: t}, url: "http://" + host + "/api/v1/executor", token: env.Token, enc: enc}
}

func (a *api) close() { a.client.CloseIdleConnections() }

func (a *api) do(ctx context.Context, contentType string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", contentType)
	if contentType == recordIO {
		req.Header.Set("Message-Content-Type", a.enc.ContentType())
	}
	req.Header.Set("Accept", a.enc.ContentType())
	if a.token != "" {
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	return a.client.Do(req)
}

const recordIO = "application/recordio"

// subscribe returns the stream of events.
func (a *api) subscribe(ctx context.Context, call *sdk.ExecutorCall) (io.ReadCloser, error) {
	body, err := wire.Marshal(a.enc, call)
	if err != nil {
		return nil, err
	}
	resp, err := a.do(ctx, a.enc.ContentType(), body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, refusal(resp)
	}
	return resp.Body, nil
}

// post sends calls, several as one body.
func (a *api) post(ctx context.Context, calls []sdk.ExecutorCall) error {
	if len(calls) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	contentType := a.enc.ContentType()
	var body, one []byte
	for i := range calls {
		var err error
		if one, err = wire.Append(a.enc, one[:0], &calls[i]); err != nil {
			return err
		}
		if len(calls) == 1 {
			body = one
			break
		}
		contentType = recordIO
		body = wire.AppendRecord(body, one)
	}
	resp, err := a.do(ctx, contentType, body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return refusal(resp)
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	return resp.Body.Close()
}

// refusal is the agent's answer as an error.
func refusal(resp *http.Response) error {
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
	return &sdk.Error{Code: sdk.CodeForStatus(resp.StatusCode), Op: "agent answers " + resp.Status,
		Message: strings.TrimSpace(string(text))}
}

package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// fetcher brings the items of one task.
type fetcher struct {
	sink       *sink
	limits     Limits
	client     *http.Client
	downloaded int64
}

func newFetcher(s *sink, l Limits) *fetcher {
	hops := l.Redirects
	return &fetcher{sink: s, limits: l, client: &http.Client{
		Transport: &http.Transport{
			DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
			TLSHandshakeTimeout:   10 * time.Second,
			ResponseHeaderTimeout: l.Stall,
			DisableCompression:    true, // a .gz must arrive as it is
		},
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if len(via) > hops {
				return fmt.Errorf("more than %d redirects", hops)
			}
			if s := req.URL.Scheme; s != "http" && s != "https" {
				return fmt.Errorf("a redirect to %s", s)
			}
			return nil
		},
	}}
}

// fetch brings the items in order.
func (f *fetcher) fetch(ctx context.Context, items []item) error {
	for _, it := range items {
		if err := f.one(ctx, it); err != nil {
			return fmt.Errorf("fetch %s: %w", it.display, err)
		}
		if it.unpack != "" {
			if err := f.sink.extract(it); err != nil {
				return fmt.Errorf("unpack %s: %w", it.display, err)
			}
		}
	}
	return nil
}

func (f *fetcher) one(ctx context.Context, it item) error {
	switch it.scheme {
	case "data":
		return f.sink.put(it, newBytes(it.data))
	case "file":
		return f.local(it)
	}
	return f.download(ctx, it)
}

func (f *fetcher) local(it item) error {
	st, err := os.Stat(it.source)
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() {
		return sdk.Errorf(sdk.CodeInvalid, "", "it is not a regular file")
	}
	from, err := os.Open(it.source)
	if err != nil {
		return err
	}
	defer from.Close()
	return f.sink.put(it, f.bounded(from, nil))
}

// errStall is why a download that brings nothing ends.
var errStall = errors.New("it brings nothing any more")

func (f *fetcher) download(ctx context.Context, it item) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stall := time.AfterFunc(f.limits.Stall, func() {
		cancel(fmt.Errorf("%w: nothing came for %s", errStall, f.limits.Stall))
	})
	defer stall.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, it.source, nil)
	if err != nil {
		return err
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return caused(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return sdk.Errorf(sdk.CodeInvalid, "", "the server answered %s", resp.Status)
	}
	return caused(ctx, f.sink.put(it, f.bounded(resp.Body, func() { stall.Reset(f.limits.Stall) })))
}

func caused(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	return err
}

// bounded counts what is read against the task's bound and tells of progress.
func (f *fetcher) bounded(from io.Reader, progress func()) io.Reader {
	return readerFunc(func(p []byte) (int, error) {
		n, err := from.Read(p)
		if n > 0 && progress != nil {
			progress()
		}
		if f.downloaded += int64(n); f.downloaded > f.limits.DownloadBytes {
			return n, sdk.Errorf(sdk.CodeTooLarge, "", "the downloads have more than %d bytes", f.limits.DownloadBytes)
		}
		return n, err
	})
}

// readerFunc is a function that reads.
type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// fetcher works through the items of one task.
type fetcher struct {
	box    *box
	limits Limits
	client *http.Client

	downloaded, unpacked, entries int64 // so far, against the limits
}

func newFetcher(b *box, limits Limits) *fetcher {
	f := &fetcher{box: b, limits: limits}
	f.client = &http.Client{
		Transport: &http.Transport{
			DialContext:           (&net.Dialer{Timeout: limits.Stall}).DialContext,
			TLSHandshakeTimeout:   limits.Stall,
			ResponseHeaderTimeout: limits.Stall,
			DisableCompression:    true, // a .gz that the server marks as encoded must stay one
			ForceAttemptHTTP2:     true,
		},
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if len(via) > limits.Redirects {
				return fmt.Errorf("more than %d redirects", limits.Redirects)
			}
			if s := req.URL.Scheme; s != "http" && s != "https" {
				return fmt.Errorf("a redirect to %s", s)
			}
			return nil
		},
	}
	return f
}

// item brings one item in.
func (f *fetcher) item(ctx context.Context, it *item) error {
	var err error
	switch it.scheme {
	case "data":
		err = f.box.inline(it)
	case "file":
		err = f.copyFile(ctx, it)
	default:
		err = f.download(ctx, it)
	}
	if err != nil || it.unpack == "" {
		return err
	}
	if err := f.unpack(ctx, it); err != nil {
		return fmt.Errorf("unpack %s: %w", it.name, err)
	}
	return nil
}

func (f *fetcher) copyFile(ctx context.Context, it *item) error {
	st, err := os.Stat(it.address)
	if err == nil && !st.Mode().IsRegular() {
		err = errors.New("it is no ordinary file")
	}
	if err != nil {
		return fmt.Errorf("fetch %s: %w", it.shown, err)
	}
	src, err := os.Open(it.address)
	if err != nil {
		return fmt.Errorf("fetch %s: %w", it.shown, err)
	}
	defer src.Close()
	return f.store(it, &cancelReader{ctx, src})
}

// download gets a web address. One that sends nothing for the stall time is given
// up, however much it has sent before.
func (f *fetcher) download(ctx context.Context, it *item) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stalled := fmt.Errorf("nothing came for %v", f.limits.Stall)
	alarm := time.AfterFunc(f.limits.Stall, func() { cancel(stalled) })
	defer alarm.Stop()
	err := f.get(ctx, it, func() { alarm.Reset(f.limits.Stall) })
	if cause := context.Cause(ctx); err != nil && cause == stalled {
		err = stalled
	}
	if err != nil {
		return fmt.Errorf("fetch %s: %w", it.shown, withoutURL(err))
	}
	return nil
}

func (f *fetcher) get(ctx context.Context, it *item, alive func()) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, it.address, nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "proffer-fetch")
	res, err := f.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answered %s", res.Status)
	}
	if res.ContentLength > f.limits.DownloadBytes-f.downloaded {
		return f.tooMuch()
	}
	return f.store(it, &liveReader{res.Body, alive})
}

// withoutURL takes the address out of the client's error: it may hold a password.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// store writes what r brings under the item's name, and takes it away again when it
// is too much, ends early, or has the wrong digest.
func (f *fetcher) store(it *item, r io.Reader) error {
	h := it.digest.hash()
	if h != nil {
		r = io.TeeReader(r, h)
	}
	bounded := &boundedReader{r: r, left: f.limits.DownloadBytes - f.downloaded, over: f.tooMuch}
	err := f.box.write(it.name, it.modeOf(), bounded)
	f.downloaded = f.limits.DownloadBytes - bounded.left
	if err == nil {
		err = it.check(h)
	}
	if err != nil {
		_ = f.box.root.Remove(it.name) // the task fails anyway, with the first error
		return err
	}
	return nil
}

func (f *fetcher) tooMuch() error {
	return sdk.Errorf(sdk.CodeTooLarge, "", "the downloads of one task may not have more than %d bytes", f.limits.DownloadBytes)
}

// boundedReader fails when more than left bytes come.
type boundedReader struct {
	r    io.Reader
	left int64
	over func() error
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	if int64(n) > b.left {
		n, b.left = int(b.left), 0
		return n, b.over()
	}
	b.left -= int64(n)
	return n, err
}

// liveReader tells that something came.
type liveReader struct {
	r     io.Reader
	alive func()
}

func (l *liveReader) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if n > 0 {
		l.alive()
	}
	return n, err
}

// cancelReader stops reading when the context ends.
type cancelReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *cancelReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

package api

import (
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/profferhq/proffer/chronosish/job"
)

// number is a parameter of the query that is a whole number from 0 to most.
func (c *call) number(name string, otherwise, most int) (int, error) {
	v := c.r.URL.Query().Get(name)
	if v == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 || n > most {
		return 0, job.Invalid("The parameter %s must be a whole number from 0 to %d, and is %q.", name, most, cut(v))
	}
	return n, nil
}

// body reads the body, which is bounded.
func (s *server) body(c *call) ([]byte, error) {
	data, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, s.opts.MaxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, job.Refusef(http.StatusRequestEntityTooLarge, "The body is larger than %d bytes.", large.Limit)
	case err != nil:
		return nil, job.Invalid("The body cannot be read: %v.", err)
	}
	return data, nil
}

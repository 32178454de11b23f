package api

import (
	"strconv"

	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/sdk/scheduler/rest"
)

// number is a parameter of the query that is a whole number from 0 to most.
func number(c *rest.Call, name string, otherwise, most int) (int, error) {
	v := c.R.URL.Query().Get(name)
	if v == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 || n > most {
		return 0, job.Invalid("The parameter %s must be a whole number from 0 to %d, and is %q.", name, most, rest.Cut(v))
	}
	return n, nil
}

package job

import (
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The bounds that keep a definition within what the store, the kernel and a path can
// carry.
const (
	maxName   = 200
	maxAmount = 1e12
	maxBytes  = 448 << 10 // of a definition as it is stored; with its files it is one transaction
	maxRetry  = 10_000
)

// NameProblem is what is wrong with a job's name, "" for nothing.
func NameProblem(name string) string {
	ok := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '.' || r == '-'
	}
	switch {
	case name == "":
		return "must be given"
	case strings.ContainsFunc(name, func(r rune) bool { return !ok(r) }):
		return "may have only letters of ASCII, digits, _, . and -, and is " + strconv.Quote(shorten(name))
	case len(name) > maxName:
		return "must not be longer than " + strconv.Itoa(maxName) + " characters"
	case name == "." || name == "..":
		return "cannot be " + name + ", which is no name in an address"
	}
	return ""
}

// check tells every rule that the definition breaks.
func (j *Job) check(f *faults) {
	if wrong := NameProblem(j.Name); wrong != "" {
		f.add("name", "%s", wrong)
	}
	for _, p := range j.Parents {
		if wrong := NameProblem(p); wrong != "" {
			f.add("parents", "%s", wrong)
		}
	}
	j.checkProgram(f)
	j.checkAmounts(f)
	for i, c := range j.Constraints {
		if wrong := c.problem(); wrong != "" {
			f.add("constraints["+strconv.Itoa(i)+"]", "%s", wrong)
		}
	}
	for i, x := range j.Fetch {
		x.check(f, "fetch["+strconv.Itoa(i)+"]")
	}
	j.checkInline(f)
	bare := *j
	bare.Fetch = slices.Clone(j.Fetch)
	for i := range bare.Fetch {
		if prefix, _, ok := bare.Fetch[i].Data(); ok {
			bare.Fetch[i].URI = prefix
		}
	}
	if data, err := bare.MarshalJSON(); err != nil || len(data) > maxBytes {
		f.add("", "The definition has %d bytes without its files, and at most %d are allowed; put what is large into a file and fetch it", len(data), maxBytes)
	}
}

// checkProgram refuses what no process can be started with.
func (j *Job) checkProgram(f *faults) {
	nul := func(path, s string) {
		if strings.ContainsRune(s, 0) {
			f.add(path, "must not have a NUL character")
		}
	}
	if j.Command == "" && !j.Shell { // an empty line of the shell succeeds: a job that only joins its parents
		f.add("command", "must be given where shell is false")
	}
	for _, scheme := range []string{"http:", "https:", "ftp:"} {
		if strings.HasPrefix(j.Command, scheme) {
			f.add("command", "cannot be an address yet: put it into fetch with executable true, and run the file")
		}
	}
	nul("command", j.Command)
	nul("owner", j.Owner) // it is in the environment
	for i, s := range j.Arguments {
		nul("arguments["+strconv.Itoa(i)+"]", s)
	}
	nul("runAsUser", j.User)
	for i, x := range j.Env {
		at := "environmentVariables[" + strconv.Itoa(i) + "]"
		if x.Name == "" || strings.ContainsRune(x.Name, '=') {
			f.add(at+".name", "must not be empty or have a =")
		}
		nul(at, x.Name+x.Value)
	}
}

func (j *Job) checkAmounts(f *faults) {
	between := func(path string, x, least, most float64) {
		if x < least || x > most {
			f.add(path, "must be between %v and %v, and is %v", least, most, x)
		}
	}
	between("cpus", j.CPUs, 0.001, maxAmount)
	between("mem", j.Mem, 1, maxAmount)
	between("disk", j.Disk, 0, maxAmount)
	between("retries", float64(j.Retries), 0, maxRetry)
	between("maxCompletionTime", float64(j.MaxCompletion), 0, maxDuration.Seconds())
}

// problem is what is wrong with a constraint, "" for nothing.
func (c Constraint) problem() string {
	switch {
	case c.Attribute == "":
		return "must name an attribute"
	case !slices.Contains([]Operator{Equals, Like, Unlike}, c.Operator):
		return "has an operator that is none of EQUALS, LIKE and UNLIKE: " + strconv.Quote(shorten(string(c.Operator)))
	case c.Operator == Equals:
		return ""
	}
	if _, err := c.Pattern(); err != nil {
		return "has no regular expression that is understood here (RE2): " + err.Error()
	}
	return ""
}

// Pattern is the value of LIKE and UNLIKE, made to match a whole text.
func (c Constraint) Pattern() (*regexp.Regexp, error) {
	if _, err := regexp.Compile(c.Value); err != nil { // by itself, so that ")(" does not pass
		return nil, err
	}
	return regexp.Compile(`^(?:` + c.Value + `)$`)
}

func (x Fetch) check(f *faults, at string) {
	u, err := url.Parse(x.URI)
	switch {
	case x.URI == "":
		f.add(at+".uri", "must be given")
	case err != nil:
		f.add(at+".uri", "is no valid URI")
	case strings.HasPrefix(x.URI, "/"), u.Scheme == "file", u.Scheme == "data":
	case u.Scheme == "http", u.Scheme == "https":
		if u.Host == "" {
			f.add(at+".uri", "names no host")
		}
	default:
		f.add(at+".uri", "is fetched over http, https, from a file or out of itself (data:) only; %q is not served yet", shorten(u.Scheme))
	}
	if x.OutputFile != "" && (!filepath.IsLocal(x.OutputFile) || strings.ContainsRune(x.OutputFile, 0)) {
		f.add(at+".output_file", "must be a path below the sandbox")
	}
}

package fetch

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// parseData reads what stands behind "data:" (RFC 2397): a media type, which means
// nothing here, perhaps ";base64", a comma, and the data.
func parseData(rest string) ([]byte, error) {
	head, body, ok := strings.Cut(rest, ",")
	if !ok {
		return nil, errors.New("a data: URI needs a comma before its data")
	}
	plain, err := url.PathUnescape(body)
	if err != nil {
		return nil, fmt.Errorf("a data: URI with a bad percent sign: %w", err)
	}
	if !isBase64(head) {
		return []byte(plain), nil
	}
	// Both alphabets and missing padding are common; blanks come from line breaks.
	plain = strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\t', '\r', '\n', '=':
			return -1
		case '-':
			return '+'
		case '_':
			return '/'
		}
		return r
	}, plain)
	data, err := base64.RawStdEncoding.DecodeString(plain)
	if err != nil {
		return nil, fmt.Errorf("a data: URI whose base64 is damaged: %w", err)
	}
	return data, nil
}

func isBase64(head string) bool {
	i := strings.LastIndexByte(head, ';')
	return i >= 0 && strings.EqualFold(strings.TrimSpace(head[i+1:]), "base64")
}

package main

import (
	"encoding/json"
	"errors"
	"strings"
	"text/template"
	"time"

	"github.com/Masterminds/sprig/v3"
)

// runSprig runs a case with the functions of Sprig in place of the fixtures.
func runSprig(line json.RawMessage) (text, error) {
	var c templateCase
	if err := json.Unmarshal(line, &c); err != nil {
		fail(err.Error() + ": " + string(line))
	}
	time.Local = time.UTC
	first, err := c.runWithSprig()
	if strings.Contains(strings.ToLower(string(c.Templates[0][1])), "merge") {
		// The error of a merge may be of another key each time.
		for range 10 {
			again, otherwise := c.runWithSprig()
			if again != first || (err == nil) != (otherwise == nil) || err != nil && err.Error() != otherwise.Error() {
				return "", errSkip
			}
		}
	}
	return first, err
}

func (c *templateCase) runWithSprig() (text, error) {
	root := template.New(string(c.Templates[0][0])).Funcs(sprig.TxtFuncMap())
	if _, err := root.Parse(string(c.Templates[0][1])); err != nil {
		return "", err
	}
	var out output
	err := root.Execute(&out, value(c.Data).Interface())
	if errors.Is(err, errSkip) || address.Match(out) || err != nil && address.MatchString(err.Error()) {
		return "", errSkip
	}
	if err != nil {
		return "", err
	}
	return text(out), nil
}

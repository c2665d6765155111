package main

import (
	"encoding/json"
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
	functions := sprig.TxtFuncMap()
	root := template.New(string(c.Templates[0][0])).Funcs(functions)
	if _, err := root.Parse(string(c.Templates[0][1])); err != nil {
		return "", err
	}
	var out output
	err := root.Execute(&out, value(c.Data).Interface())
	if address.Match(out) || err != nil && address.MatchString(err.Error()) {
		return "", errSkip
	}
	if err != nil {
		return "", err
	}
	return text(out), nil
}

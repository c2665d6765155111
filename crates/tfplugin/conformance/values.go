package main

import (
	"math/big"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// settle fills in what is unknown: texts are "found", numbers the given one.
func settle(value tftypes.Value, number int64) tftypes.Value {
	settled, err := tftypes.Transform(value, func(_ *tftypes.AttributePath, value tftypes.Value) (tftypes.Value, error) {
		if value.IsKnown() {
			return value, nil
		}
		return found(value.Type(), number), nil
	})
	if err != nil {
		panic(err)
	}
	return settled
}

func found(kind tftypes.Type, number int64) tftypes.Value {
	switch kind := kind.(type) {
	case tftypes.Object:
		attributes := map[string]tftypes.Value{}
		for name, kind := range kind.AttributeTypes {
			attributes[name] = found(kind, number)
		}
		return tftypes.NewValue(kind, attributes)
	case tftypes.List, tftypes.Set:
		return tftypes.NewValue(kind, []tftypes.Value{})
	case tftypes.Map:
		return tftypes.NewValue(kind, map[string]tftypes.Value{})
	}
	switch {
	case kind.Is(tftypes.Number):
		return tftypes.NewValue(tftypes.Number, number)
	case kind.Is(tftypes.Bool):
		return tftypes.NewValue(tftypes.Bool, true)
	}
	return tftypes.NewValue(tftypes.String, "found")
}

func attributes(value tftypes.Value) map[string]tftypes.Value {
	result := map[string]tftypes.Value{}
	if err := value.As(&result); err != nil {
		panic(err)
	}
	return result
}

// text is the known text of an attribute, else empty.
func text(value tftypes.Value, name string) string {
	attribute := attributes(value)[name]
	if !attribute.IsKnown() || attribute.IsNull() {
		return ""
	}
	var result string
	if err := attribute.As(&result); err != nil {
		panic(err)
	}
	return result
}

func whole(value tftypes.Value, name string) int64 {
	var result *big.Float
	if err := attributes(value)[name].As(&result); err != nil {
		panic(err)
	}
	if result == nil {
		return 0
	}
	number, _ := result.Int64()
	return number
}

// with is the object with another value of one attribute.
func with(value tftypes.Value, name string, attribute tftypes.Value) tftypes.Value {
	changed := attributes(value)
	changed[name] = attribute
	return tftypes.NewValue(value.Type(), changed)
}

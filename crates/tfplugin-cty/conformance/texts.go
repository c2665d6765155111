package main

import "github.com/zclconf/go-cty/cty"

// jsonTexts covers the leniency of cty's JSON reader and its limits.
func (g *generator) jsonTexts() {
	object := cty.Object(map[string]cty.Type{"a": cty.String, "b": cty.Number})
	pair := cty.Tuple([]cty.Type{cty.String, cty.Bool})
	for _, c := range []struct {
		ty   cty.Type
		text string
	}{
		{cty.Number, `"12"`}, {cty.Number, `" 12"`}, {cty.Number, `"1e3"`}, {cty.Number, `"x"`}, {cty.Number, `true`},
		{cty.Number, `-0`}, {cty.Number, `01`}, {cty.Number, `1.`}, {cty.Number, `.5`}, {cty.Number, `+1`},
		{cty.Number, `1e`}, {cty.Number, `"0x10"`}, {cty.Number, `"1_000"`}, {cty.Number, `"inf"`}, {cty.Number, `"-Inf"`},
		{cty.Number, `"infinity"`}, {cty.Number, `"nan"`}, {cty.Number, `""`}, {cty.Number, `"+.5"`}, {cty.Number, `"."`},
		{cty.Number, `[1]`}, {cty.Number, ``}, {cty.Number, `  7  `}, {cty.Number, `7 8`}, {cty.Number, `null`},
		{cty.Number, `nul`}, {cty.Number, `1E400`}, {cty.Number, `123456789012345678901234567890`},
		{cty.String, `12`}, {cty.String, `1.50`}, {cty.String, `1e5`}, {cty.String, `true`}, {cty.String, `false`},
		{cty.String, `{}`}, {cty.String, `"\u00e9"`}, {cty.String, `"e\u0301"`}, {cty.String, `"\ud83d\ude00"`},
		{cty.String, `"\ud83d"`}, {cty.String, `"\ude00x"`}, {cty.String, `"\ud83d\u0041"`}, {cty.String, `"\ud83dA"`},
		{cty.String, `"\x41"`}, {cty.String, `"\/\b\f\n\r\t\"\\"`}, {cty.String, "\"a\tb\""}, {cty.String, `"open`},
		{cty.String, `"\u00g0"`}, {cty.String, `'a'`},
		{cty.Bool, `"true"`}, {cty.Bool, `"false"`}, {cty.Bool, `"1"`}, {cty.Bool, `"0"`}, {cty.Bool, `"yes"`},
		{cty.Bool, `"TRUE"`}, {cty.Bool, `1`}, {cty.Bool, `truefalse`}, {cty.Bool, `tru`},
		{cty.List(cty.String), `["a",1,true,null]`}, {cty.List(cty.String), `[]`}, {cty.List(cty.String), `[ "a" , "b" ]`},
		{cty.List(cty.String), `["a",]`}, {cty.List(cty.String), `["a" "b"]`}, {cty.List(cty.String), `["a"`},
		{cty.List(cty.String), `{}`}, {cty.List(cty.String), `[,"a"]`}, {cty.List(cty.String), `["a"}`},
		{cty.List(cty.String), `["a"] trailing`}, {cty.Set(cty.String), `["b","a","b"]`}, {cty.Set(cty.Number), `[2,"10",1.0,1]`},
		{cty.Map(cty.String), `{"b":"2","a":"1","b":"3"}`}, {cty.Map(cty.String), `{"e\u0301":"x"}`},
		{cty.Map(cty.String), `{"a"}`}, {cty.Map(cty.String), `{"a":}`}, {cty.Map(cty.String), `{1:"a"}`},
		{cty.Map(cty.String), `{"a":"b",}`}, {cty.Map(cty.String), `["a"]`}, {cty.Map(cty.String), `{`},
		{pair, `["a",true]`}, {pair, `["a"]`}, {pair, `["a",true,1]`}, {pair, `[]`}, {pair, `null`},
		{object, `{"a":"x","b":1}`}, {object, `{"b":1}`}, {object, `{}`}, {object, `{"a":"x","b":1,"c":2}`},
		{object, `{"a":"x","a":"y"}`}, {object, `{"a":{},"a":"y"}`}, {object, `[]`},
		{cty.DynamicPseudoType, `null`}, {cty.DynamicPseudoType, `{"value":"x","type":"string"}`},
		{cty.DynamicPseudoType, `{"type":"string","value":"x"}`}, {cty.DynamicPseudoType, `{"type":"string"}`},
		{cty.DynamicPseudoType, `{"value":"x"}`}, {cty.DynamicPseudoType, `{"value":"x","type":"string","more":1}`},
		{cty.DynamicPseudoType, `{"value":null,"type":"string"}`}, {cty.DynamicPseudoType, `{"value":null,"type":"dynamic"}`},
		{cty.DynamicPseudoType, `{"value":{"value":1,"type":"number"},"type":"dynamic"}`},
		{cty.DynamicPseudoType, `{"value":[1],"type":["list","string"]}`}, {cty.DynamicPseudoType, `"x"`},
		{cty.DynamicPseudoType, `{"value":1,"type":null}`}, {cty.DynamicPseudoType, `{"value":1,"type":"nothing"}`},
		{cty.DynamicPseudoType, `{"value":2,"type":"bool","type":"number"}`}, {cty.DynamicPseudoType, `[]`},
		{cty.List(cty.DynamicPseudoType), `[{"value":1,"type":"number"},null]`},
		{cty.List(cty.DynamicPseudoType), `[{"value":1,"type":"number"},{"value":"a","type":"string"}]`},
		{cty.Map(cty.DynamicPseudoType), `{"a":{"value":1,"type":"number"},"b":{"value":"a","type":"string"}}`},
		{cty.Set(cty.DynamicPseudoType), `[{"value":1,"type":"number"},{"value":"1","type":"string"}]`},
	} {
		g.json(c.ty, c.text)
	}
}

var typeTexts = []string{
	`"string"`, `"number"`, `"bool"`, `"dynamic"`, `"any"`, ` "string" `, `"string" x`, `["list","string"]`,
	`["list"]`, `["list","string","string"]`, `["list",["set",["map","bool"]]]`, `["tuple",[]]`, `["tuple",null]`,
	`["tuple",["string",["tuple",[]]]]`, `["tuple","string"]`, `["object",{}]`, `["object",null]`,
	`["object",{"b":"bool","a":"string"}]`, `["object",{"a":"string","b":"bool"},["b"]]`,
	`["object",{"a":"string"},[]]`, `["object",{"a":"string"},null]`, `["object",{"a":"string"},["z"]]`,
	`["object",{"a":"string"},[1]]`, `["object",{"a":"string"},["a"],1]`, `["object",{"a":"string","a":"bool"}]`,
	`["object",{"e\u0301":"string"}]`, `["object",{"<&>":"string"}]`, `["object",[]]`, `["capsule","x"]`, `[]`, `{}`, `null`,
	`1`, ``, `[`, `["list","string"`, `["list" "string"]`, `["list","string",]`, `[1,"string"]`,
}

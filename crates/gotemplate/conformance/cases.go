package main

import (
	"fmt"
	"slices"
	"sort"
	"unicode"
)

func printClass(name, comment string, table *unicode.RangeTable) {
	fmt.Printf("\n/// %s\npub(super) const %s: &[(u32, u32, u32)] = &[\n", comment, name)
	for _, r := range table.R16 {
		fmt.Printf("    (0x%x, 0x%x, %d),\n", r.Lo, r.Hi, r.Stride)
	}
	for _, r := range table.R32 {
		fmt.Printf("    (0x%x, 0x%x, %d),\n", r.Lo, r.Hi, r.Stride)
	}
	fmt.Println("];")
}

func printNames(name, comment string, names []string) {
	sort.Strings(names)
	names = slices.Compact(names)
	fmt.Printf("\n/// %s\npub(super) const %s: &[&str] = &[\n", comment, name)
	for _, n := range names {
		fmt.Printf("    %q,\n", n)
	}
	fmt.Println("];")
}

// printCases prints classes and cases of characters, and the names of classes that expressions may
// use: src/sprig/unicode/tables.rs.
func printCases() {
	fmt.Printf("//! Unicode %s as Go has it. Printed by conformance/cases.go.\n", unicode.Version)
	fmt.Println("\n// First and last character and the distance between neighbours.")
	printClass("UPPER", "unicode.Upper", unicode.Upper)
	printClass("LOWER", "unicode.Lower", unicode.Lower)
	printClass("TITLE", "unicode.Title", unicode.Title)
	printClass("NUMBER", "unicode.Number", unicode.Number)
	printClass("PUNCT", "unicode.Punct", unicode.Punct)
	fmt.Println("\n/// The distance that stands for letters alternating between upper and lower case.")
	fmt.Printf("pub(super) const UPPER_LOWER: i32 = %d;\n", unicode.UpperLower)
	fmt.Println("\n/// First and last character, and the distances to upper, lower and title case.")
	fmt.Println("pub(super) const CASES: &[(u32, u32, [i32; 3])] = &[")
	for _, c := range unicode.CaseRanges {
		fmt.Printf("    (0x%x, 0x%x, [%d, %d, %d]),\n", c.Lo, c.Hi, c.Delta[0], c.Delta[1], c.Delta[2])
	}
	fmt.Println("];")
	var categories, scripts []string
	for name := range unicode.Categories {
		categories = append(categories, name)
	}
	for name := range unicode.Scripts {
		scripts = append(scripts, name)
	}
	printNames("CATEGORIES", "The names of unicode.Categories", categories)
	printNames("SCRIPTS", "The names of unicode.Scripts", scripts)
	var aliases []string
	for alias, name := range unicode.CategoryAliases {
		aliases = append(aliases, alias+"="+name)
	}
	printNames("ALIASES", "The entries of unicode.CategoryAliases", aliases)
}

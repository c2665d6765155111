package main

import (
	"fmt"
	"os"
	"unicode"
)

// printUnicode writes src/text/tables.rs: the classes of characters that the lexer and the quoting
// need, as this version of Go knows them.
func printUnicode() {
	fmt.Println("//! Classes of characters as Go knows them. Made by `go run . unicode` in `conformance`.")
	fmt.Println()
	fmt.Printf("// Unicode %s\n", unicode.Version)
	for _, class := range []struct {
		name, doc string
		contains  func(rune) bool
	}{
		{"LETTER", "`unicode.IsLetter`", unicode.IsLetter},
		{"DIGIT", "`unicode.IsDigit`", unicode.IsDigit},
		{"PRINT", "`unicode.IsPrint`", unicode.IsPrint},
	} {
		fmt.Printf("\n/// %s: first and last of each range.\n", class.doc)
		fmt.Println("#[rustfmt::skip]")
		fmt.Printf("pub(super) const %s: &[(u32, u32)] = &[\n", class.name)
		start := rune(-1)
		column := 0
		for r := rune(0); r <= unicode.MaxRune+1; r++ {
			inside := r <= unicode.MaxRune && class.contains(r)
			if inside && start < 0 {
				start = r
			}
			if !inside && start >= 0 {
				if column == 0 {
					fmt.Print("   ")
				}
				fmt.Printf(" (0x%x, 0x%x),", start, r-1)
				column++
				if column == 5 {
					fmt.Println()
					column = 0
				}
				start = -1
			}
		}
		if column > 0 {
			fmt.Println()
		}
		fmt.Println("];")
	}
	os.Exit(0)
}

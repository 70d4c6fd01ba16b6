// Package rules has the rules of README.md. Pure: a text goes in, a text or number comes out, nil for NULL.
package rules

import (
	"math"
	"strings"
)

func isBlank(character rune) bool { return strings.ContainsRune(" \t\n\r\u00a0", character) }

func trim(text string) string { return strings.TrimFunc(text, isBlank) }

func join(words []string) *string {
	if len(words) == 0 {
		return nil
	}
	text := strings.Join(words, " ")
	return &text
}

// Name splits a name into first and last.
func Name(typed *string) (first, last *string) {
	if typed == nil {
		return nil, nil
	}
	before, after, comma := strings.Cut(*typed, ",")
	if comma {
		apart := func(character rune) bool { return character == ',' || isBlank(character) }
		return join(strings.FieldsFunc(after, apart)), join(strings.FieldsFunc(before, isBlank))
	}
	words := strings.FieldsFunc(*typed, isBlank)
	if len(words) < 2 {
		return join(words), nil
	}
	return join(words[:len(words)-1]), &words[len(words)-1]
}

// Email brings an e-mail address into one form.
func Email(typed *string) *string {
	if typed == nil {
		return nil
	}
	lower := func(character rune) rune {
		if character >= 'A' && character <= 'Z' {
			return character + 'a' - 'A'
		}
		return character
	}
	text := strings.Map(lower, trim(*typed))
	name, domain, found := strings.Cut(text, "@")
	if !found || name == "" || domain == "" || strings.Contains(domain, "@") || strings.ContainsFunc(text, isBlank) {
		return nil
	}
	return &text
}

// Phone brings a phone number into one form.
func Phone(typed *string) *string {
	if typed == nil {
		return nil
	}
	text := trim(*typed)
	digits := strings.Map(func(character rune) rune {
		if character >= '0' && character <= '9' {
			return character
		}
		return -1
	}, text)
	plus := strings.HasPrefix(text, "+")
	if !plus && strings.HasPrefix(digits, "00") {
		digits, plus = digits[2:], true
	}
	if len(digits) < 5 || len(digits) > 15 {
		return nil
	}
	if plus {
		digits = "+" + digits
	}
	return &digits
}

// Cents turns a balance into cents.
func Cents(typed *string) *int64 {
	if typed == nil {
		return nil
	}
	text, negative := strings.CutPrefix(trim(*typed), "-")
	whole, decimals, point := strings.Cut(text, ".")
	whole = strings.ReplaceAll(whole, ",", "")
	if whole == "" || (point && (len(decimals) < 1 || len(decimals) > 2)) {
		return nil
	}
	var cents int64
	for _, digit := range whole + (decimals + "00")[:2] {
		if digit < '0' || digit > '9' || cents > (math.MaxInt64-int64(digit-'0'))/10 {
			return nil
		}
		cents = cents*10 + int64(digit-'0')
	}
	if negative {
		cents = -cents
	}
	return &cents
}

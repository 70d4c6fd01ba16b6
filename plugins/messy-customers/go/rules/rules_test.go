package rules

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

func read(column string) *string {
	if column == `\N` {
		return nil
	}
	text := strings.NewReplacer(`\\`, `\`, `\t`, "\t", `\n`, "\n", `\r`, "\r").Replace(column)
	return &text
}

func show(text *string) string {
	if text == nil {
		return "NULL"
	}
	return strconv.Quote(*text)
}

func TestEveryCase(t *testing.T) {
	text, err := os.ReadFile("../../cases.tsv")
	if err != nil {
		t.Fatal(err)
	}
	for number, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		columns := strings.Split(line, "\t")
		first, last := Name(read(columns[0]))
		var cents *string
		if value := Cents(read(columns[3])); value != nil {
			digits := strconv.FormatInt(*value, 10)
			cents = &digits
		}
		found := []*string{first, last, Email(read(columns[1])), Phone(read(columns[2])), cents}
		for index, value := range found {
			if show(value) != show(read(columns[4+index])) {
				t.Errorf("line %d: found %s, expected %s", number+1, show(value), show(read(columns[4+index])))
			}
		}
	}
}

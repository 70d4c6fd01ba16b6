package main

import "testing"

func TestTrims(t *testing.T) {
	if found := trim("  a b "); found != "a b" {
		t.Errorf("found %q", found)
	}
}

package memory

import (
	"testing"

	"example.org/siem/core"
	"example.org/siem/storage/storetest"
)

func TestSessions(t *testing.T) {
	storetest.Sessions(t, func(*testing.T) (core.SessionStore, string) { return NewSessions(), "user" })
}

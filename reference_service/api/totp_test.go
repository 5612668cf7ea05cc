package api

import (
	"testing"
	"time"
)

// The secret and the codes are those of RFC 6238, appendix B, cut to six digits.
func TestCodesOfTheStandard(t *testing.T) {
	secret := []byte("12345678901234567890")
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1234567890: "005924", 20000000000: "353130"} {
		if got := code(secret, at/period); got != want {
			t.Errorf("%d: %s, want %s", at, got, want)
		}
		if step, ok := matchCode(secret, want, time.Unix(at+period, 0)); !ok || step != at/period {
			t.Errorf("%d: a code of the step before is not taken", at)
		}
		if _, ok := matchCode(secret, want, time.Unix(at+3*period, 0)); ok {
			t.Errorf("%d: an old code is taken", at)
		}
	}
}

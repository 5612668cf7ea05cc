package api

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"time"
)

const period = 30 // seconds that a code is good for

// code returns the code of a step (RFC 6238, six digits).
func code(secret []byte, step int64) string {
	mac := hmac.New(sha1.New, secret)
	_ = binary.Write(mac, binary.BigEndian, step)
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[at:])&0x7fffffff)%1_000_000)
}

// matchCode returns the step a code belongs to, of those around now.
func matchCode(secret []byte, given string, now time.Time) (int64, bool) {
	current := now.Unix() / period
	for _, step := range []int64{current, current - 1, current + 1} {
		if hmac.Equal([]byte(code(secret, step)), []byte(given)) {
			return step, true
		}
	}
	return 0, false
}

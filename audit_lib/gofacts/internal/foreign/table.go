package foreign

// What the standard library does where its sources do not tell: the runtime keeps it, or it is deep in what makes
// contexts. A test compares the rest with the sources.
var standard = map[string]Effects{
	"time.AfterFunc":                 Go,
	"context.Cause":                  Listens,
	"context.WithoutCancel":          Values,
	"context.AfterFunc":              Go,
	"runtime.SetFinalizer":           Go,
	"runtime.AddCleanup":             Go,
	"sync.Once.Do":                   Once,
	"sync.OnceFunc":                  Once,
	"sync.OnceValue":                 Once,
	"sync.OnceValues":                Once,
	"sync/atomic.Value.Store":        Kept,
	"sync/atomic.Pointer.Store":      Kept,
	"sync.Map.Store":                 Kept,
	"sync.Map.LoadOrStore":           Kept,
	"sync.Map.Swap":                  Kept,
	"sync.Pool.Put":                  Kept,
	"testing.T.Run":                  Waited,
	"testing.B.Run":                  Waited,
	"testing.F.Fuzz":                 Waited,
	"testing/synctest.Test":          Waited,
	"iter.Pull":                      Returned,
	"iter.Pull2":                     Returned,
	"reflect.ValueOf":                Unknown,
	"sort.Sort":                      Here,
	"sort.Stable":                    Here,
	"container/heap.Init":            Here,
	"log/slog.Logger.Handler":        Values,
	"os/signal.NotifyContext":        Listens | Returned,
	"runtime/pprof.Do":               Here | Values,
	"runtime/trace.WithRegion":       Here | Values,
	"runtime/trace.NewTask":          Values | Returned,
	"net/http.NewRequest":            Returned,
	"net/http.Request.Context":       Returned,
	"net/http.NewRequestWithContext": Returned,
	"net/http.Request.WithContext":   Returned,
	"net/http.Request.Clone":         Returned,
}

// derivations make a context of another.
var derivations = map[string]bool{
	"context.WithCancel": true, "context.WithCancelCause": true, "context.WithTimeout": true,
	"context.WithTimeoutCause": true, "context.WithDeadline": true, "context.WithDeadlineCause": true,
	"context.WithValue": true,
}

func isDerivation(q Question) bool { return q.Context && q.Field == "" && derivations[q.Func] }

// table answers for functions of which the sources are not asked.
func table(q Question) (Effects, bool) {
	if found, ok := standard[q.Func]; ok {
		return found, true
	}
	if groups[q.Func] && !q.Context {
		return Go, true
	}
	if q.Context && derivations[q.Func] {
		return Returned, true
	}
	return 0, false
}

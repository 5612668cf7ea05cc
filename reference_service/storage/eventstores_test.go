package storage

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"example.org/siem/core"
	"example.org/siem/storage/storetest"
)

// openClickHouse returns the server that SIEM_TEST_CLICKHOUSE names, with a
// database of the test's own, or skips the test; testdata/clickhouse/run.sh
// runs tests beside a server.
func openClickHouse(t *testing.T) *ClickHouse {
	t.Helper()
	addr := os.Getenv("SIEM_TEST_CLICKHOUSE")
	if addr == "" {
		t.Skip("SIEM_TEST_CLICKHOUSE names no server")
	}
	database := fmt.Sprintf("test_%d", time.Now().UnixNano())
	c, err := OpenClickHouse(addr, clickhouse.Auth{Database: database}, slog.New(slog.DiscardHandler))
	ok(t, err)
	t.Cleanup(func() {
		ok(t, c.conn.Exec(context.Background(), "DROP DATABASE "+database))
		ok(t, c.Close())
	})
	return c
}

func TestEventStores(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		storetest.Events(t, func(t *testing.T) storetest.EventStore { return NewEventStore(open(t)) })
	})
	t.Run("clickhouse", func(t *testing.T) {
		storetest.Events(t, func(t *testing.T) storetest.EventStore { return NewClickHouseEvents(openClickHouse(t)) })
	})
}

func TestClickHouseCountsAlertsAsTheyLastWere(t *testing.T) {
	server := openClickHouse(t)
	alerts := NewClickHouseAlerts(NewAlertStore(open(t)), server)
	alerts.Start(time.Millisecond)
	var ids []string
	for _, key := range []string{"a", "b", "c"} {
		a := &core.Alert{Tenant: "acme", DedupKey: key, Severity: 2, FirstSeen: noon, LastSeen: time.Now()}
		created, err := alerts.RaiseAlert(t.Context(), a)
		ok(t, err)
		if !created {
			t.Fatalf("%s was there", key)
		}
		ids = append(ids, a.ID)
	}
	time.Sleep(3 * time.Millisecond)
	_, err := alerts.MoveAlert(t.Context(), "acme", ids[0], core.AlertResolved)
	ok(t, err)
	_, err = alerts.MoveAlerts(t.Context(), "acme", append(ids[1:2:2], "gone"), core.AlertDismissed)
	ok(t, err)
	sum, err := alerts.SummarizeAlerts("acme", time.Time{})
	ok(t, err)
	if fmt.Sprint(sum.ByStatus) != "map[dismissed:1 open:1 resolved:1]" || sum.BySeverity[2] != 3 || sum.MeanTimeSecs <= 0 {
		t.Errorf("summary: %+v", sum)
	}
	ok(t, alerts.Stop())
	_, err = alerts.PurgeAlerts(t.Context(), time.Now().AddDate(0, 0, 2))
	ok(t, err)
	sum, err = alerts.SummarizeAlerts("acme", time.Time{})
	ok(t, err)
	if len(sum.ByStatus) != 0 {
		t.Errorf("after the purge: %+v", sum)
	}
}

func TestClickHouseAuditIsACopy(t *testing.T) {
	server, db := openClickHouse(t), open(t)
	log := NewClickHouseAudit(db, server)
	log.Start(time.Millisecond)
	for i := range 3 {
		ok(t, log.Record(t.Context(), &core.AuditEntry{Action: fmt.Sprintf("act.%d", i)}))
	}
	entries, err := log.AuditEntries("acme", 2)
	ok(t, err)
	if len(entries) != 2 || entries[0].Action != "act.2" || entries[0].Hash == "" {
		t.Errorf("entries: %+v", entries)
	}
	broken, err := log.VerifyAudit(t.Context())
	ok(t, err)
	if broken != 0 {
		t.Errorf("entry %d is broken", broken)
	}
	ok(t, log.Stop())
	ok(t, log.send(t.Context(), []*core.AuditEntry{{Seq: 4, Action: "forged", Hash: "x"}}))
	if broken, err = log.VerifyAudit(t.Context()); broken != 4 || err != nil {
		t.Errorf("a forged entry: %d, %v", broken, err)
	}
}

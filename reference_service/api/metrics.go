package api

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

type metrics struct {
	requests *prometheus.HistogramVec
	inFlight prometheus.Gauge
	logins   *prometheus.CounterVec
	events   prometheus.Counter
}

func newMetrics(registry *prometheus.Registry, s *Server) *metrics {
	m := &metrics{
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "siem_request_seconds", Help: "Time to answer requests.", Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}, []string{"method", "status"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "siem_requests_in_flight", Help: "Requests being answered."}),
		logins:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "siem_logins_total", Help: "Logins by outcome."}, []string{"outcome"}),
		events:   prometheus.NewCounter(prometheus.CounterOpts{Name: "siem_events_total", Help: "Events taken in."}),
	}
	registry.MustRegister(collectors.NewGoCollector(), m.requests, m.inFlight, m.logins, m.events, &storeCollector{server: s})
	return m
}

// storeCollector reads what the database knows at the time of a scrape.
type storeCollector struct{ server *Server }

var (
	connectionsDesc = prometheus.NewDesc("siem_db_connections_in_use", "Connections that run something.", nil, nil)
	waitsDesc       = prometheus.NewDesc("siem_db_waits_total", "Times somebody waited for a connection.", nil, nil)
	sizeDesc        = prometheus.NewDesc("siem_db_bytes", "Size of the database.", nil, nil)
	pendingDesc     = prometheus.NewDesc("siem_events_pending", "Events that wait to be evaluated.", nil, nil)
	policiesDesc    = prometheus.NewDesc("siem_retention_days", "How long records are kept.", []string{"kind"}, nil)
)

// Describe implements prometheus.Collector.
func (c *storeCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- connectionsDesc
	ch <- waitsDesc
	ch <- sizeDesc
	ch <- pendingDesc
	ch <- policiesDesc
}

// Collect implements prometheus.Collector.
func (c *storeCollector) Collect(ch chan<- prometheus.Metric) {
	db := c.server.db
	ch <- prometheus.MustNewConstMetric(connectionsDesc, prometheus.GaugeValue, float64(db.InUse()))
	ch <- prometheus.MustNewConstMetric(waitsDesc, prometheus.CounterValue, float64(db.Waiting()))
	ch <- prometheus.MustNewConstMetric(pendingDesc, prometheus.GaugeValue, float64(c.server.Detector.Pending()))
	if size, err := db.Size(); err == nil {
		ch <- prometheus.MustNewConstMetric(sizeDesc, prometheus.GaugeValue, float64(size))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	policies, err := c.server.Retention.Policies(ctx)
	if err != nil {
		c.server.log.Warn("metrics are incomplete", "error", err)
	}
	for _, p := range policies {
		ch <- prometheus.MustNewConstMetric(policiesDesc, prometheus.GaugeValue, float64(p.Days), p.Kind)
	}
}

// Package ml learns from what people did with alerts how likely a new one is to
// be worth their time: logistic regression over hashed features.
package ml

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strings"

	"example.org/siem/core"
)

const dimensions = 1 << 12

// sample is an alert and what became of it.
type sample struct {
	features []int
	label    float64
}

// features returns the indices that are 1 for an alert.
func features(a *core.Alert) []int {
	names := []string{"bias", "rule:" + a.RuleID, fmt.Sprint("severity:", a.Severity), fmt.Sprint("hour:", a.FirstSeen.Hour()/4),
		fmt.Sprint("count:", int(math.Log2(float64(a.Count+1))))}
	for _, word := range strings.Fields(strings.ToLower(a.Title)) {
		names = append(names, "word:"+word)
	}
	indices := make([]int, len(names))
	for i, name := range names {
		h := fnv.New32a()
		_, _ = h.Write([]byte(name))
		indices[i] = int(h.Sum32() % dimensions)
	}
	return indices
}

func predict(weights []float64, features []int) float64 {
	z := 0.0
	for _, i := range features {
		z += weights[i]
	}
	return 1 / (1 + math.Exp(-z))
}

// fit trains by stochastic gradient descent with a little L2; more is asked
// after every epoch whether to go on.
func fit(samples []sample, epochs int, rng *rand.Rand, more func() error) ([]float64, error) {
	weights := make([]float64, dimensions)
	const l2 = 1e-4
	for epoch := range epochs {
		if err := more(); err != nil {
			return nil, err
		}
		rate := 0.5 / (1 + 0.1*float64(epoch))
		for _, k := range rng.Perm(len(samples)) {
			s := samples[k]
			gradient := predict(weights, s.features) - s.label
			for _, i := range s.features {
				weights[i] -= rate * (gradient + l2*weights[i])
			}
		}
	}
	return weights, nil
}

// measure returns accuracy and mean log loss.
func measure(weights []float64, samples []sample) (accuracy, loss float64) {
	if len(samples) == 0 {
		return 0, 0
	}
	for _, s := range samples {
		p := min(max(predict(weights, s.features), 1e-9), 1-1e-9)
		if (p >= 0.5) == (s.label == 1) {
			accuracy++
		}
		loss -= s.label*math.Log(p) + (1-s.label)*math.Log(1-p)
	}
	n := float64(len(samples))
	return accuracy / n, loss / n
}

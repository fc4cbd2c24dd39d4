"""Reads metrics from standard input as Prometheus' own parsers do, and prints the samples as JSON: name and labels, value."""

import json
import sys

from prometheus_client import openmetrics, parser
import prometheus_client.openmetrics.parser

PARSERS = {"plain": parser, "openmetrics": openmetrics.parser}

families = PARSERS[sys.argv[1]].text_string_to_metric_families(sys.stdin.read())
samples = [sample for family in families for sample in family.samples]
json.dump([[sample.name, dict(sample.labels), sample.value] for sample in samples], sys.stdout)

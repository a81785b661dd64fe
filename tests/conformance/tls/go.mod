module conformance/tls

go 1.26.0

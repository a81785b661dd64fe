module conformance/arn

go 1.26.3

require sigs.k8s.io/aws-iam-authenticator v0.7.18

require github.com/aws/aws-sdk-go-v2 v1.41.5 // indirect

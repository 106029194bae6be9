module checksum

go 1.22

toolchain go1.26.8

require github.com/aws/aws-lambda-go v1.54.0

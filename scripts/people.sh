#!/bin/sh
# people.sh differ|apply FILE MODEL…: name the models that FILE would change, or set it there.
set -eu
what=$1 file=$2
shift 2
jq -Rs '{mappings: .}' "$file" > "$file.json"
for model; do
    case $what in
    differ)
        juju run --model "$model" aws-iam/leader plan-mappings --params "$file.json" --format json |
            jq -er --arg model "$model" '.[] | if .status == "failed" then error(.message) else .results end
                | [{fault, delete, change, make} | to_entries[]
                   | select(.value != "0") | "\(.value) \(.key)"]
                | "\($model): \(if . == [] then "nothing" else join(", ") end)"'
        ;;
    apply) juju config --model "$model" aws-iam mappings=@"$file" ;;
    esac
done

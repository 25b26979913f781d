"""What runs do: decisions are pure functions, executing them is another's task. No click, no SQL, no HTTP verbs."""

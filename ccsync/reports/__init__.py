"""What operators read: status, explanations, comparisons, plans of dry runs."""

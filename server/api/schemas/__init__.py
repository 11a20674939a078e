"""What programs send and are sent, by feature: instants in ISO 8601 and UTC."""

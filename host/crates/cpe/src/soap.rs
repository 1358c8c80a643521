//! CWMP messages in SOAP envelopes.

//! The CWMP server: sessions with devices over HTTP.

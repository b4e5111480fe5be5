"""Listings that go out at their time: what was created, and what moved. A listing reads, is laid out as text and put
among the messages that go out; it changes nothing in a tracker."""

"""The whole engine under one seed: the sandbox in process, the real client libraries, the real SQL, a clock of ours."""

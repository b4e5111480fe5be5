"""What admins of real instances set differently, and what public sources do not settle."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 2**20


@dataclass
class Switches:
    """The defaults are what is documented, or else what most reports say; sizes are in bytes.

    ``hibernating``: a sleeping developer instance, 200 with a page of HTML (apis.md 1.6 [U]). ``unknown_table``: 400
    or 404, both are reported. ``refusals_explained``: whether data policies and business rules say why in ``detail``,
    which may be null (apis.md 1.6). ``failed_import``: the status of an import set call whose row failed (apis.md 1.8
    [U]). ``oauth_errors``: ``reported`` is what refused clients quote (401 server_error, access_denied), ``rfc6749``
    the standard's names. ``attaching_bumps``: whether a new attachment counts as an update of its record.
    ``cancelled_writes_apply``: whether a write that ran out of time took effect. ``max_content``:
    glide.rest.max_content_length. ``max_attachment``: com.glide.attachment.max_size. ``extensions``:
    glide.attachment.extensions, none for all. ``batch_input`` and ``batch_output``:
    glide.rest.batch.max.inputSize and outputSize, of one item each.
    """

    hibernating: bool = False
    unknown_table: int = 400
    refusals_explained: bool = True
    failed_import: int = 201
    oauth_errors: str = "reported"
    attaching_bumps: bool = False
    cancelled_writes_apply: bool = True
    max_content: int = 10 * MEGABYTE
    max_attachment: int = 1024 * MEGABYTE
    extensions: tuple[str, ...] = ()
    batch_input: int = 5 * MEGABYTE
    batch_output: int = 10 * MEGABYTE

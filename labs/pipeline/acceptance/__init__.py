"""Acceptance tests as Lambda functions, each for a Lambda-invoke action of CodePipeline.

    http_test    a page answers 200, with the version that was deployed on it
    port_open    something listens at a port, and can be reached
    port_closed  nothing can be reached at a port
    ssh_banner   an SSH server says who it is

What all of them share, `reporting`, has the result told to the pipeline, whatever happens. The
package goes into the zip as the folder `acceptance`; handlers are `acceptance.http_test.handler`.
"""

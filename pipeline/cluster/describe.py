def describe_issues():
    pass
